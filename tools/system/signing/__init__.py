"""SHA256SUMS and its signature, by minisign or GPG: made by a release, checked before anything is written."""
