/* The colours of the voice assistant's screen; tools/splash_image wrote this. */
#ifndef _HAVE_PSPLASH_COLORS_H
#define _HAVE_PSPLASH_COLORS_H

#define PSPLASH_BACKGROUND_COLOR 0x0a,0x0d,0x10
#define PSPLASH_TEXT_COLOR 0xae,0xb8,0xc2
#define PSPLASH_BAR_COLOR 0x62,0xd5,0xe4
#define PSPLASH_BAR_BACKGROUND_COLOR 0x17,0x1c,0x22

#endif
