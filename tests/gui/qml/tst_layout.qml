import QtQuick
import QtTest
import VoiceAssistant

/// Whatever it shows, at every size and in every language: nothing is cut, nothing overlaps, every button is large.
TestCase {
    id: test
    name: "Layout"
    when: windowShown
    width: 1280
    height: 720
    visible: true

    readonly property var sizes: [[800, 480], [1024, 600], [1280, 720]]
    readonly property var languages: ["en", "de"]

    Inspector {
        id: inspector
    }
    TranscriptionModel {
        id: entries
    }
    SettingsManager {
        id: stored
    }
    Item {
        id: frame
    }

    Component {
        id: statusBar
        StatusBar {
            width: frame.width
            backendState: NetworkManager.Ready
            microphone: "Cabin microphone"
            handsFree: true
            version: "0.1.0"
        }
    }
    Component {
        id: microphoneButton
        MicrophoneButton {
            height: frame.height * 0.6
            conversationState: Conversation.Idle
            level: 0.5
            reason: ""
            reasonSymbol: "microphone-off"
        }
    }
    Component {
        id: transcriptionView
        TranscriptionView {
            width: frame.width * 0.6
            height: frame.height * 0.6
            partialText: ""
            finalText: "set the temperature to twenty one degrees"
            answer: ""
            earcon: ""
            hint: ""
            busy: false
            history: entries
        }
    }
    CommandCard {
        id: command
    }
    Component {
        id: cardPage
        CardPage {
            width: frame.width * 0.655
            height: frame.height * 0.81
            card: command
            partialText: ""
            finalText: "set the temperature to twenty one degrees on the passenger's side please"
            busy: false
            history: entries
        }
    }
    Component {
        id: settingsPanel
        SettingsPanel {
            width: frame.width
            height: frame.height
            settings: stored
            languages: ["en", "de", "fr", "es", "it", "nl"]
            models: ["cabin-en"]
            modelName: "cabin-en"
            backendUrl: "http://localhost:8000"
            canListen: true
            inputDevices: ["Cabin microphone"]
            systemVersion: "0.1.0 (20261101093000)"
            backendVersion: "0.1.0"
        }
    }
    Component {
        id: errorBanner
        ErrorBanner {
            width: frame.width - 24
            message: qsTranslate("NetworkManager", "The assistant does not answer any more.")
            wayOut: qsTranslate("Trouble", "It comes back by itself. Your history is kept.")
            action: qsTranslate("Trouble", "Try now")
        }
    }

    function initTestCase() {
        entries.addTranscription("turn on the heating", new Date(2026, 0, 2, 14, 5), "en", 0.31, "f3a9-1");
        entries.addAnswer("f3a9-1", "The heating is on.", "done");
        entries.addTranscription("find the nearest charging station with a restaurant and a playground", new Date(), "en", 0.31);
    }
    function cleanupTestCase() {
        Theme.height = 480;
        Qt.uiLanguage = "";
    }
    function cases(names: var): var {
        const rows = [];
        for (const [width, height] of sizes) {
            for (const language of languages) {
                for (const name of names)
                    rows.push({
                        "tag": `${width}x${height} ${language} ${name}`,
                        "width": width,
                        "height": height,
                        "language": language,
                        "name": name
                    });
            }
        }
        return rows;
    }
    function make(component: Component, row: var, properties: var): Item {
        frame.width = row.width;
        frame.height = row.height;
        Theme.height = row.height;
        Qt.uiLanguage = row.language;
        const item = createTemporaryObject(component, test, properties);
        waitForRendering(item);
        return item;
    }
    function check(item: Item) {
        const complaints = () => inspector.complaints(item, Theme.touchTarget);
        // What lays out its children does so before a frame, which a busy machine draws late.
        for (let i = 0; i < 500 && complaints().length > 0; ++i)
            wait(20);
        compare(complaints(), []);
    }

    function test_german() {
        const bar = make(statusBar, {
            "width": 800,
            "height": 480,
            "language": "de"
        }, {});
        compare(bar.backendText, "Bereit");
        Qt.uiLanguage = "en";
        compare(bar.backendText, "Ready");
    }
    function test_statusBar_data() {
        return cases([NetworkManager.Starting, NetworkManager.Ready, NetworkManager.Lost, NetworkManager.Failed]);
    }
    function test_statusBar(row: var) {
        check(make(statusBar, row, {
            "backendState": row.name
        }));
    }
    function test_microphoneButton_data() {
        return cases([Conversation.Idle, Conversation.Held, Conversation.Sent, Conversation.Error]);
    }
    function test_microphoneButton(row: var) {
        check(make(microphoneButton, row, {
            "conversationState": row.name
        }));
    }
    function test_microphoneButtonWithReason_data() {
        return cases(["No microphone", "No connection", "Out of order", "Starting"]);
    }
    function test_microphoneButtonWithReason(row: var) {
        Qt.uiLanguage = row.language;
        check(make(microphoneButton, row, {
            "reason": qsTranslate("StatusBar", row.name)
        }));
    }
    function test_transcriptionView_data() {
        return cases(["short", "long", "examples"]);
    }
    function test_transcriptionView(row: var) {
        check(make(transcriptionView, row, {
            "short": {},
            "long": {
                "finalText": "set the temperature to twenty one degrees and ".repeat(6)
            },
            "examples": {
                "finalText": "",
                "hint": qsTranslate("Hint", "Hold the button and speak, or say the wake word."),
                "examples": ["set the temperature on the passenger's side to 21 degrees", "louder", "lock the doors"]
            }
        }[row.name]));
    }
    function test_answeredView_data() {
        return cases(["done", "question"]);
    }
    function test_answeredView(row: var) {
        for (const historyShown of [true, false]) {
            for (const times of [1, 8])
                check(make(transcriptionView, row, {
                    "finalText": "set the temperature to twenty one degrees ".repeat(times),
                    "answer": "The rear left window is 30 percent open, and that is as far as it goes. ".repeat(times),
                    "earcon": row.name,
                    "historyShown": historyShown
                }));
        }
    }
    Cards {
        id: cards
    }
    function test_card_data() {
        return cases(cards.names);
    }
    function test_card(row: var) {
        cards.tell(backend, command, row.name, row.language);
        check(make(cardPage, row, {}));
        if (command.state === CommandCard.Asking) {
            check(make(cardPage, row, {
                "height": row.height * 0.472, // above the waveform
                "busy": true,
                "historyShown": false
            }));
        }
    }
    function test_errorBanner_data() {
        return cases([""]);
    }
    function test_errorBanner(row: var) {
        check(make(errorBanner, row, {}));
    }
    function test_settings_data() {
        return cases(["", "language", "uiLanguage", "backendUrl", "apiKey"]);
    }
    function test_settings(row: var) {
        const panel = make(settingsPanel, row, {});
        if (row.name !== "") {
            inspector.find(inspector.find(panel, "cards"), row.name).clicked();
            verify(panel.page !== "");
            waitForRendering(panel);
        }
        verify(inspector.targets(panel).length > 2);
        check(panel);
    }
    function test_settingsBeforeClearing_data() {
        return cases([""]);
    }
    function test_settingsBeforeClearing(row: var) {
        const panel = make(settingsPanel, row, {});
        inspector.find(panel, "clearHistory").clicked();
        waitForRendering(panel);
        check(panel);
    }
}
