<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name>AudioEngine</name>
    <message>
        <source>There is no microphone. Plug one in.</source>
        <translation>Kein Mikrofon vorhanden. Bitte eines anschließen.</translation>
    </message>
    <message>
        <source>The microphone “%1” is not there. Plug it in, or choose another one in the settings.</source>
        <translation>Das Mikrofon „%1“ fehlt. Bitte anschließen oder in den Einstellungen ein anderes wählen.</translation>
    </message>
    <message>
        <source>The microphone “%1” was unplugged. Plug it in again, or choose another one in the settings.</source>
        <translation>Das Mikrofon „%1“ wurde abgezogen. Bitte wieder anschließen oder in den Einstellungen ein anderes wählen.</translation>
    </message>
</context>
<context>
    <name>CardButtons</name>
    <message>
        <source>Yes</source>
        <translation>Ja</translation>
    </message>
    <message>
        <source>No</source>
        <translation>Nein</translation>
    </message>
</context>
<context>
    <name>CardHeading</name>
    <message>
        <source>%1, %2</source>
        <extracomment>What a command is about, and where in the car: Window, rear left</extracomment>
        <translation>%1, %2</translation>
    </message>
</context>
<context>
    <name>CardState</name>
    <message>
        <source>One moment</source>
        <translation>Einen Moment</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Erledigt</translation>
    </message>
    <message>
        <source>Taken back</source>
        <translation>Zurückgenommen</translation>
    </message>
    <message>
        <source>Not done</source>
        <translation>Nicht ausgeführt</translation>
    </message>
    <message>
        <source>No answer from the car</source>
        <translation>Keine Antwort vom Auto</translation>
    </message>
    <message>
        <source>Ten seconds to answer</source>
        <translation>Zehn Sekunden für die Antwort</translation>
    </message>
    <message>
        <source>Nothing was done</source>
        <translation>Nichts wurde getan</translation>
    </message>
</context>
<context>
    <name>CardView</name>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
</context>
<context>
    <name>CommandCard</name>
    <message>
        <source>Not understood</source>
        <translation>Nicht verstanden</translation>
    </message>
    <message>
        <source>Which one?</source>
        <translation>Welcher Eintrag?</translation>
    </message>
</context>
<context>
    <name>CommandNames</name>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>Climate control</source>
        <translation>Klimaanlage</translation>
    </message>
    <message>
        <source>Fan</source>
        <translation>Gebläse</translation>
    </message>
    <message>
        <source>Air conditioning</source>
        <translation>Kühlung</translation>
    </message>
    <message>
        <source>Airflow</source>
        <translation>Luftstrom</translation>
    </message>
    <message>
        <source>Defrost</source>
        <translation>Enteisung</translation>
    </message>
    <message>
        <source>Recirculation</source>
        <translation>Umluft</translation>
    </message>
    <message>
        <source>Seat heating</source>
        <translation>Sitzheizung</translation>
    </message>
    <message>
        <source>Seat ventilation</source>
        <translation>Sitzbelüftung</translation>
    </message>
    <message>
        <source>Wheel heating</source>
        <translation>Lenkradheizung</translation>
    </message>
    <message>
        <source>Same climate</source>
        <translation>Gleiches Klima</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Sunroof</source>
        <translation>Schiebedach</translation>
    </message>
    <message>
        <source>Blind</source>
        <translation>Rollo</translation>
    </message>
    <message>
        <source>Doors</source>
        <translation>Türen</translation>
    </message>
    <message>
        <source>Trunk</source>
        <translation>Kofferraum</translation>
    </message>
    <message>
        <source>Child lock</source>
        <translation>Kindersicherung</translation>
    </message>
    <message>
        <source>Headlights</source>
        <translation>Scheinwerfer</translation>
    </message>
    <message>
        <source>High beam</source>
        <translation>Fernlicht</translation>
    </message>
    <message>
        <source>Fog lights</source>
        <translation>Nebellicht</translation>
    </message>
    <message>
        <source>Hazard lights</source>
        <translation>Warnblinker</translation>
    </message>
    <message>
        <source>Interior light</source>
        <translation>Innenlicht</translation>
    </message>
    <message>
        <source>Ambient light</source>
        <translation>Ambientelicht</translation>
    </message>
    <message>
        <source>Brightness</source>
        <translation>Helligkeit</translation>
    </message>
    <message>
        <source>Wipers</source>
        <translation>Scheibenwischer</translation>
    </message>
    <message>
        <source>Washer</source>
        <translation>Waschanlage</translation>
    </message>
    <message>
        <source>Mirrors</source>
        <translation>Spiegel</translation>
    </message>
    <message>
        <source>Mirror</source>
        <translation>Spiegel</translation>
    </message>
    <message>
        <source>Mirror heating</source>
        <translation>Spiegelheizung</translation>
    </message>
    <message>
        <source>Seat</source>
        <translation>Sitz</translation>
    </message>
    <message>
        <source>Backrest</source>
        <translation>Lehne</translation>
    </message>
    <message>
        <source>Massage</source>
        <translation>Massage</translation>
    </message>
    <message>
        <source>Seat position</source>
        <translation>Sitzposition</translation>
    </message>
    <message>
        <source>Media</source>
        <translation>Medien</translation>
    </message>
    <message>
        <source>Next track</source>
        <translation>Nächster Titel</translation>
    </message>
    <message>
        <source>Previous track</source>
        <translation>Voriger Titel</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>Shuffle</source>
        <translation>Zufallswiedergabe</translation>
    </message>
    <message>
        <source>Repeat</source>
        <translation>Wiederholung</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>Lautstärke</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Ton</translation>
    </message>
    <message>
        <source>Call</source>
        <translation>Anruf</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Nachrichten</translation>
    </message>
    <message>
        <source>Navigation</source>
        <translation>Navigation</translation>
    </message>
    <message>
        <source>Nearby</source>
        <translation>In der Nähe</translation>
    </message>
    <message>
        <source>Route</source>
        <translation>Route</translation>
    </message>
    <message>
        <source>Map</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>Guidance voice</source>
        <translation>Ansagen</translation>
    </message>
    <message>
        <source>Traffic</source>
        <translation>Verkehr</translation>
    </message>
    <message>
        <source>Cruise control</source>
        <translation>Tempomat</translation>
    </message>
    <message>
        <source>Distance</source>
        <translation>Abstand</translation>
    </message>
    <message>
        <source>Lane assist</source>
        <translation>Spurassistent</translation>
    </message>
    <message>
        <source>Speed limiter</source>
        <translation>Begrenzer</translation>
    </message>
    <message>
        <source>Parking aid</source>
        <translation>Einparkhilfe</translation>
    </message>
    <message>
        <source>Drive mode</source>
        <translation>Fahrmodus</translation>
    </message>
    <message>
        <source>Start-stop</source>
        <translation>Start-Stopp</translation>
    </message>
    <message>
        <source>Range</source>
        <translation>Reichweite</translation>
    </message>
    <message>
        <source>Tyre pressure</source>
        <translation>Reifendruck</translation>
    </message>
    <message>
        <source>Fuel</source>
        <translation>Tank</translation>
    </message>
    <message>
        <source>Battery</source>
        <translation>Batterie</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Uhrzeit</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Datum</translation>
    </message>
    <message>
        <source>Outside</source>
        <translation>Außen</translation>
    </message>
    <message>
        <source>Inside</source>
        <translation>Innen</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Geschwindigkeit</translation>
    </message>
    <message>
        <source>Arrival</source>
        <translation>Ankunft</translation>
    </message>
    <message>
        <source>Odometer</source>
        <translation>Kilometerstand</translation>
    </message>
    <message>
        <source>Service</source>
        <translation>Wartung</translation>
    </message>
    <message>
        <source>Consumption</source>
        <translation>Verbrauch</translation>
    </message>
    <message>
        <source>You can say</source>
        <translation>Sie können sagen</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>driver</source>
        <translation>Fahrer</translation>
    </message>
    <message>
        <source>passenger</source>
        <translation>Beifahrer</translation>
    </message>
    <message>
        <source>behind the driver</source>
        <translation>hinter dem Fahrer</translation>
    </message>
    <message>
        <source>behind the passenger</source>
        <translation>hinter dem Beifahrer</translation>
    </message>
    <message>
        <source>front left</source>
        <translation>vorn links</translation>
    </message>
    <message>
        <source>front right</source>
        <translation>vorn rechts</translation>
    </message>
    <message>
        <source>rear left</source>
        <translation>hinten links</translation>
    </message>
    <message>
        <source>rear right</source>
        <translation>hinten rechts</translation>
    </message>
    <message>
        <source>left</source>
        <translation>links</translation>
    </message>
    <message>
        <source>right</source>
        <translation>rechts</translation>
    </message>
    <message>
        <source>front</source>
        <translation>vorn</translation>
    </message>
    <message>
        <source>rear</source>
        <translation>hinten</translation>
    </message>
</context>
<context>
    <name>Conversation</name>
    <message>
        <source>Check the microphone, or choose another one in the settings.</source>
        <translation>Mikrofon prüfen oder in den Einstellungen ein anderes wählen.</translation>
    </message>
    <message>
        <source>You can go on as soon as it is back.</source>
        <translation>Sobald er wieder da ist, geht es weiter.</translation>
    </message>
</context>
<context>
    <name>EventsClient</name>
    <message>
        <source>The assistant failed.</source>
        <translation>Beim Assistenten ist ein Fehler aufgetreten.</translation>
    </message>
</context>
<context>
    <name>Fault</name>
    <message>
        <source>The assistant is busy.</source>
        <translation>Der Assistent ist beschäftigt.</translation>
    </message>
    <message>
        <source>Try again in %1 s.</source>
        <translation>In %1 s noch einmal versuchen.</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>Gleich noch einmal versuchen.</translation>
    </message>
    <message>
        <source>The assistant wants an API key.</source>
        <translation>Der Assistent verlangt einen API-Schlüssel.</translation>
    </message>
    <message>
        <source>Enter the API key in the settings.</source>
        <translation>API-Schlüssel in den Einstellungen eingeben.</translation>
    </message>
    <message>
        <source>The assistant failed.</source>
        <translation>Beim Assistenten ist ein Fehler aufgetreten.</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>Bitte noch einmal versuchen.</translation>
    </message>
    <message>
        <source>The assistant does not know how to do this.</source>
        <translation>Das kann der Assistent nicht.</translation>
    </message>
    <message>
        <source>Update its backend, or check the backend&apos;s address in the settings.</source>
        <translation>Backend aktualisieren oder seine Adresse in den Einstellungen prüfen.</translation>
    </message>
    <message>
        <source>The assistant is not ready yet.</source>
        <translation>Der Assistent ist noch nicht bereit.</translation>
    </message>
    <message>
        <source>The assistant refused this.</source>
        <translation>Der Assistent hat das abgelehnt.</translation>
    </message>
    <message>
        <source>The assistant is not at this address.</source>
        <translation>Unter dieser Adresse ist der Assistent nicht zu finden.</translation>
    </message>
    <message>
        <source>Check the backend&apos;s address in the settings.</source>
        <translation>Adresse des Backends in den Einstellungen prüfen.</translation>
    </message>
    <message>
        <source>The assistant cannot be reached.</source>
        <translation>Der Assistent ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>Wait a moment, or check the backend&apos;s address in the settings.</source>
        <translation>Einen Moment warten oder die Adresse des Backends in den Einstellungen prüfen.</translation>
    </message>
    <message>
        <source>The assistant did not answer in time.</source>
        <translation>Der Assistent hat nicht rechtzeitig geantwortet.</translation>
    </message>
    <message>
        <source>The connection to the assistant was lost.</source>
        <translation>Die Verbindung zum Assistenten ist abgebrochen.</translation>
    </message>
    <message>
        <source>The assistant was too slow: the beginning of what you said is lost.</source>
        <translation>Der Assistent war zu langsam: Der Anfang des Gesagten ist verloren.</translation>
    </message>
    <message>
        <source>Say it again.</source>
        <translation>Bitte wiederholen.</translation>
    </message>
    <message>
        <source>Something else answers in the assistant&apos;s place.</source>
        <translation>Unter dieser Adresse antwortet etwas anderes.</translation>
    </message>
</context>
<context>
    <name>HealthMonitor</name>
    <message>
        <source>The assistant is loading its speech model.</source>
        <translation>Der Assistent lädt sein Sprachmodell.</translation>
    </message>
    <message>
        <source>The assistant is not well, and does not say why.</source>
        <translation>Der Assistent arbeitet nicht und nennt keinen Grund.</translation>
    </message>
</context>
<context>
    <name>Hint</name>
    <message>
        <source>Speak now.</source>
        <translation>Bitte sprechen.</translation>
    </message>
    <message>
        <source>One moment …</source>
        <translation>Einen Moment …</translation>
    </message>
    <message>
        <source>Nothing was heard. Say it again.</source>
        <translation>Nichts gehört. Bitte wiederholen.</translation>
    </message>
    <message>
        <source>Say “%1”.</source>
        <translation>Sagen Sie „%1“.</translation>
    </message>
    <message>
        <source>Say the wake word, then speak.</source>
        <translation>Erst das Aktivierungswort sagen, dann sprechen.</translation>
    </message>
    <message>
        <source>Connect a microphone.</source>
        <translation>Bitte ein Mikrofon anschließen.</translation>
    </message>
    <message>
        <source>Hold the button and speak, or say the wake word.</source>
        <translation>Taste halten und sprechen oder das Aktivierungswort sagen.</translation>
    </message>
    <message>
        <source>Hold the button and speak.</source>
        <translation>Taste halten und sprechen.</translation>
    </message>
</context>
<context>
    <name>HistoryEntry</name>
    <message>
        <source>%1 s</source>
        <extracomment>How long the text took, in seconds</extracomment>
        <translation>%1 s</translation>
    </message>
</context>
<context>
    <name>HistoryList</name>
    <message>
        <source>History</source>
        <translation>Verlauf</translation>
    </message>
</context>
<context>
    <name>Keyboard</name>
    <message>
        <source>Capital letters</source>
        <translation>Großbuchstaben</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
</context>
<context>
    <name>LanguageNames</name>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Voice assistant</source>
        <translation>Sprachassistent</translation>
    </message>
</context>
<context>
    <name>MicrophoneButton</name>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Listening</source>
        <translation>Hört zu</translation>
    </message>
    <message>
        <source>Thinking</source>
        <translation>Denkt nach</translation>
    </message>
    <message>
        <source>Speak</source>
        <translation>Sprechen</translation>
    </message>
    <message>
        <source>Tap to try again</source>
        <translation>Tippen und wiederholen</translation>
    </message>
    <message>
        <source>Tap to cancel</source>
        <translation>Tippen zum Abbrechen</translation>
    </message>
    <message>
        <source>Release to send</source>
        <translation>Loslassen und senden</translation>
    </message>
    <message>
        <source>Tap to send</source>
        <translation>Tippen und senden</translation>
    </message>
    <message>
        <source>One moment</source>
        <translation>Einen Moment</translation>
    </message>
    <message>
        <source>Hold or tap</source>
        <translation>Halten oder tippen</translation>
    </message>
</context>
<context>
    <name>MicrophoneCapture</name>
    <message>
        <source>The microphone “%1” delivers no sound. Plug it in again, or choose another one in the settings.</source>
        <translation>Das Mikrofon „%1“ liefert keinen Ton. Bitte neu anschließen oder in den Einstellungen ein anderes wählen.</translation>
    </message>
    <message>
        <source>The microphone “%1” cannot be opened. Close other programs that record, or choose another microphone in the settings.</source>
        <translation>Das Mikrofon „%1“ lässt sich nicht öffnen. Andere aufnehmende Programme schließen oder in den Einstellungen ein anderes Mikrofon wählen.</translation>
    </message>
    <message>
        <source>The microphone “%1” was cut off. Plug it in again, or choose another one in the settings.</source>
        <translation>Die Verbindung zum Mikrofon „%1“ ist abgerissen. Bitte neu anschließen oder in den Einstellungen ein anderes wählen.</translation>
    </message>
</context>
<context>
    <name>NetworkManager</name>
    <message>
        <source>The file %1 cannot be read.</source>
        <translation>Die Datei %1 lässt sich nicht lesen.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>Bitte eine andere Datei wählen.</translation>
    </message>
    <message>
        <source>The backend cannot switch its microphone.</source>
        <translation>Das Backend kann sein Mikrofon nicht schalten.</translation>
    </message>
    <message>
        <source>Update the backend.</source>
        <translation>Backend aktualisieren.</translation>
    </message>
    <message>
        <source>The backend cannot load another model.</source>
        <translation>Das Backend kann kein anderes Modell laden.</translation>
    </message>
    <message>
        <source>Choose another model in the settings.</source>
        <translation>In den Einstellungen ein anderes Modell wählen.</translation>
    </message>
    <message>
        <source>The assistant wants an API key. Enter it in the settings.</source>
        <translation>Der Assistent verlangt einen API-Schlüssel. Bitte in den Einstellungen eingeben.</translation>
    </message>
    <message>
        <source>The assistant does not answer any more.</source>
        <translation>Der Assistent antwortet nicht mehr.</translation>
    </message>
    <message>
        <source>The assistant is starting.</source>
        <translation>Der Assistent startet.</translation>
    </message>
    <message>
        <source>There is no answer from %1. Check the backend&apos;s address in the settings.</source>
        <translation>Keine Antwort von %1. Bitte die Adresse des Backends in den Einstellungen prüfen.</translation>
    </message>
</context>
<context>
    <name>PageHeader</name>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
</context>
<context>
    <name>SettingsManager</name>
    <message>
        <source>The settings cannot be stored in “%1”. Make room there.</source>
        <translation>Die Einstellungen lassen sich nicht in „%1“ speichern. Bitte dort Platz schaffen.</translation>
    </message>
    <message>
        <source>“%1” is no address of a backend. Enter one such as http://localhost:8000.</source>
        <translation>„%1“ ist keine Adresse eines Backends. Richtig wäre zum Beispiel http://localhost:8000.</translation>
    </message>
    <message>
        <source>An API key has letters, digits and signs, but no spaces. Enter it as the backend has it.</source>
        <translation>Ein API-Schlüssel besteht aus Buchstaben, Ziffern und Zeichen, ohne Leerzeichen. Bitte so eingeben, wie er im Backend steht.</translation>
    </message>
    <message>
        <source>“%1” is no language&apos;s code. Choose a language from the list.</source>
        <translation>„%1“ ist kein Sprachkürzel. Bitte eine Sprache aus der Liste wählen.</translation>
    </message>
    <message>
        <source>“%1” is no model&apos;s name. Choose a model from the list.</source>
        <translation>„%1“ ist kein Modellname. Bitte ein Modell aus der Liste wählen.</translation>
    </message>
    <message>
        <source>The microphone&apos;s name is too long. Choose a microphone from the list.</source>
        <translation>Der Name des Mikrofons ist zu lang. Bitte ein Mikrofon aus der Liste wählen.</translation>
    </message>
    <message>
        <source>There is no translation “%1”. Choose a language from the list.</source>
        <translation>Eine Übersetzung „%1“ gibt es nicht. Bitte eine Sprache aus der Liste wählen.</translation>
    </message>
</context>
<context>
    <name>SettingsPanel</name>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Clear history</source>
        <translation>Verlauf löschen</translation>
    </message>
    <message>
        <source>You speak</source>
        <translation>Gesprochene Sprache</translation>
    </message>
    <message>
        <source>Hands-free with wake word</source>
        <translation>Aktivierungswort</translation>
    </message>
    <message>
        <source>Not available</source>
        <translation>Nicht verfügbar</translation>
    </message>
    <message>
        <source>On</source>
        <translation>Ein</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>Speech model, knows few words</source>
        <translation>Sprachmodell, kennt wenige Wörter</translation>
    </message>
    <message>
        <source>Speech model</source>
        <translation>Sprachmodell</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>Mikrofon</translation>
    </message>
    <message>
        <source>Night colours</source>
        <translation>Nachtdesign</translation>
    </message>
    <message>
        <source>Language of the screen</source>
        <translation>Anzeigesprache</translation>
    </message>
    <message>
        <source>Address of the backend</source>
        <translation>Adresse des Backends</translation>
    </message>
    <message>
        <source>API key of the backend</source>
        <translation>API-Schlüssel des Backends</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keiner</translation>
    </message>
    <message>
        <source>Entered</source>
        <translation>Eingegeben</translation>
    </message>
    <message>
        <source>Really clear?</source>
        <translation>Wirklich löschen?</translation>
    </message>
    <message>
        <source>System %1</source>
        <translation>System %1</translation>
    </message>
    <message>
        <source>Screen %1, backend %2</source>
        <translation>Anzeige %1, Backend %2</translation>
    </message>
</context>
<context>
    <name>SignalText</name>
    <message>
        <source>Locked</source>
        <translation>Verriegelt</translation>
    </message>
    <message>
        <source>Unlocked</source>
        <translation>Entriegelt</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Offen</translation>
    </message>
    <message>
        <source>Closed</source>
        <translation>Geschlossen</translation>
    </message>
    <message>
        <source>Folded in</source>
        <translation>Eingeklappt</translation>
    </message>
    <message>
        <source>Folded out</source>
        <translation>Ausgeklappt</translation>
    </message>
    <message>
        <source>Muted</source>
        <translation>Stumm</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>Slow</source>
        <translation>Langsam</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>Fast</source>
        <translation>Schnell</translation>
    </message>
    <message>
        <source>Interval</source>
        <translation>Intervall</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatik</translation>
    </message>
    <message>
        <source>Side lights</source>
        <translation>Standlicht</translation>
    </message>
    <message>
        <source>Daytime lights</source>
        <translation>Tagfahrlicht</translation>
    </message>
    <message>
        <source>Windscreen</source>
        <translation>Scheibe</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>Gesicht</translation>
    </message>
    <message>
        <source>Feet</source>
        <translation>Füße</translation>
    </message>
    <message>
        <source>Plays</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Internet</source>
        <translation>Internet</translation>
    </message>
    <message>
        <source>%1 – %2</source>
        <extracomment>The lowest and the highest of several values</extracomment>
        <translation>%1 – %2</translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message>
        <source>Ready</source>
        <translation>Bereit</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Startet</translation>
    </message>
    <message>
        <source>Out of order</source>
        <translation>Gestört</translation>
    </message>
    <message>
        <source>No connection</source>
        <translation>Keine Verbindung</translation>
    </message>
    <message>
        <source>No microphone</source>
        <translation>Kein Mikrofon</translation>
    </message>
    <message>
        <source>Hands-free</source>
        <translation>Freihändig</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
</context>
<context>
    <name>TalkPage</name>
    <message>
        <source>Microphone</source>
        <translation>Mikrofon</translation>
    </message>
    <message>
        <source>No microphone</source>
        <translation>Kein Mikrofon</translation>
    </message>
</context>
<context>
    <name>TextPage</name>
    <message>
        <source>Such as %1</source>
        <translation>Zum Beispiel %1</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Sichern</translation>
    </message>
</context>
<context>
    <name>TranscriptionModel</name>
    <message>
        <source>The history cannot be stored in “%1”. Make room there, or set another place.</source>
        <translation>Der Verlauf lässt sich nicht in „%1“ speichern. Bitte dort Platz schaffen oder einen anderen Ort einstellen.</translation>
    </message>
</context>
<context>
    <name>Trouble</name>
    <message>
        <source>It comes back by itself. Your history is kept.</source>
        <translation>Er kommt von selbst zurück. Der Verlauf bleibt erhalten.</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>Jetzt prüfen</translation>
    </message>
    <message>
        <source>OK</source>
        <translation>OK</translation>
    </message>
</context>
<context>
    <name>WavFile</name>
    <message>
        <source>The sound file “%1” cannot be opened. Choose one that is there and may be read.</source>
        <translation>Die Tondatei „%1“ lässt sich nicht öffnen. Bitte eine vorhandene, lesbare Datei wählen.</translation>
    </message>
    <message>
        <source>“%1” is not a WAV file of 16-bit or float samples. Convert it, or choose another file.</source>
        <translation>„%1“ ist keine WAV-Datei mit 16-Bit- oder Gleitkommawerten. Bitte umwandeln oder eine andere Datei wählen.</translation>
    </message>
</context>
<context>
    <name>WaveformVisualization</name>
    <message>
        <source>Volume</source>
        <translation>Lautstärke</translation>
    </message>
</context>
<context>
    <name>YouCanSay</name>
    <message>
        <source>You can say</source>
        <translation>Sie können sagen</translation>
    </message>
    <message>
        <source>“%1”</source>
        <extracomment>Quotation marks around what can be said</extracomment>
        <translation>„%1“</translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>The screen of the voice assistant.</source>
        <translation>Die Anzeige des Sprachassistenten.</translation>
    </message>
    <message>
        <source>Address of the backend, in place of the stored one.</source>
        <translation>Adresse des Backends anstelle der gespeicherten.</translation>
    </message>
    <message>
        <source>Plays this file in place of a microphone.</source>
        <translation>Spielt diese Datei anstelle eines Mikrofons ab.</translation>
    </message>
    <message>
        <source>Fills the screen.</source>
        <translation>Füllt den Bildschirm.</translation>
    </message>
    <message>
        <source>Turns picture and touch clockwise: 0, 90, 180, 270, or auto.</source>
        <translation>Dreht Bild und Berührung im Uhrzeigersinn: 0, 90, 180, 270 oder auto.</translation>
    </message>
    <message>
        <source>Port of the backend&apos;s events (5802).</source>
        <translation>Port der Ereignisse des Backends (5802).</translation>
    </message>
    <message>
        <source>Tells on the log what the screen shows.</source>
        <translation>Schreibt ins Protokoll, was die Anzeige zeigt.</translation>
    </message>
</context>
</TS>
