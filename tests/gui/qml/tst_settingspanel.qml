import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "SettingsPanel"
    when: windowShown
    width: 800
    height: 480
    visible: true

    Inspector {
        id: inspector
    }
    SettingsManager {
        id: stored
    }
    Component {
        id: component
        SettingsPanel {
            anchors.fill: parent
            settings: stored
            languages: ["en", "de", "fr"]
            models: ["cabin-en", "whisper-base"]
            modelName: "cabin-en"
            backendUrl: "http://localhost:8000"
            canListen: true
            inputDevices: ["Cabin microphone", "Headset"]
            systemVersion: ""
            backendVersion: "2"
            focus: true
        }
    }
    SignalSpy {
        id: closed
        signalName: "closed"
    }
    SignalSpy {
        id: cleared
        signalName: "historyCleared"
    }
    SignalSpy {
        id: model
        signalName: "modelChosen"
    }
    SignalSpy {
        id: url
        signalName: "backendUrlChosen"
    }

    function init() {
        stored.language = "auto";
        stored.inputDevice = "";
        stored.uiLanguage = "";
        stored.apiKey = "";
        stored.nightTheme = true;
        stored.wakeWordEnabled = true;
    }
    function test_closesWhenNobodyTouchesIt() {
        const panel = make({});
        panel.openChoice(inspector.find(panel, "language"), [], "");
        panel.idleTimeout = 50;
        tryCompare(closed, "count", 1);
        verify(!panel.visible);
        compare(panel.page, "");
        panel.close();
        compare(closed.count, 1, "once");
    }
    function make(properties: var): SettingsPanel {
        const panel = createTemporaryObject(component, test, properties ?? {});
        for (const spy of [closed, cleared, model, url]) {
            spy.target = panel;
            spy.clear();
        }
        panel.forceActiveFocus();
        waitForRendering(panel);
        return panel;
    }
    function card(panel: SettingsPanel, name: string): Item {
        return inspector.find(inspector.find(panel, "cards"), name);
    }
    function open(panel: SettingsPanel, name: string): Item {
        mouseClick(card(panel, name));
        const page = inspector.find(panel, panel.page + "Page");
        waitForRendering(page);
        return page;
    }
    function option(page: Item, index: int): Item {
        const list = inspector.find(page, "options");
        tryVerify(() => list.itemAtIndex(index) !== null);
        return list.itemAtIndex(index);
    }
    function texts(page: Item): var {
        return inspector.find(page, "options").options.map(one => one.text);
    }
    function type(page: Item, text: string) {
        for (const letter of text)
            mouseClick(inspector.find(page, "key-" + letter));
    }

    function test_cardsTellTheValues() {
        stored.inputDevice = "Headset";
        const panel = make();
        const values = {
            "language": "Automatic",
            "handsFree": "On",
            "model": "cabin-en",
            "inputDevice": "Headset",
            "nightTheme": "On",
            "uiLanguage": "Automatic",
            "backendUrl": "http://localhost:8000",
            "apiKey": "None"
        };
        for (const [name, value] of Object.entries(values))
            compare(card(panel, name).value, value, name);
    }
    function test_versions() {
        const panel = make();
        compare(inspector.find(panel, "version").text, "Screen 1.2.3, backend 2");
        panel.backendVersion = "";
        compare(inspector.find(panel, "version").text, "Screen 1.2.3, backend –");
        verify(!inspector.find(panel, "system").visible);
        panel.systemVersion = "3";
        verify(inspector.find(panel, "system").visible);
        compare(inspector.find(panel, "system").text, "System 3");
    }
    function test_language() {
        const panel = make();
        const page = open(panel, "language");
        compare(texts(page), ["Automatic", "English", "Deutsch", "Français"]);
        verify(option(page, 0).current);
        mouseClick(option(page, 2));
        compare(stored.language, "de");
        compare(panel.page, "");
        compare(card(panel, "language").value, "Deutsch");
    }
    function test_model() {
        const panel = make();
        const page = open(panel, "model");
        compare(texts(page), ["cabin-en", "whisper-base"]);
        mouseClick(option(page, 1));
        compare(model.signalArguments[0][0], "whisper-base");
    }
    function test_aModelOfFewWordsIsNamedSo() {
        compare(card(make(), "model").text, "Speech model");
        compare(card(make({
            "modelIsSmall": true
        }), "model").text, "Speech model, knows few words");
    }
    function test_withoutBackendThereIsNoModelToChoose() {
        const panel = make({
            "models": [],
            "modelName": ""
        });
        compare(card(panel, "model").value, "Not available");
        mouseClick(card(panel, "model"));
        compare(panel.page, "");
    }
    function test_inputDevice() {
        const panel = make();
        const page = open(panel, "inputDevice");
        compare(texts(page), ["Automatic", "Cabin microphone", "Headset"]);
        mouseClick(option(page, 1));
        compare(stored.inputDevice, "Cabin microphone");
    }
    function test_uiLanguage() {
        const panel = make();
        const page = open(panel, "uiLanguage");
        compare(texts(page), ["Automatic", "English", "Deutsch"]);
        mouseClick(option(page, 2));
        compare(stored.uiLanguage, "de");
    }
    function test_switches_data() {
        return [
            {
                "tag": "handsFree",
                "setting": "wakeWordEnabled"
            },
            {
                "tag": "nightTheme",
                "setting": "nightTheme"
            }
        ];
    }
    function test_switches(row: var) {
        const panel = make();
        mouseClick(card(panel, row.tag));
        compare(stored[row.setting], false);
        compare(card(panel, row.tag).value, "Off");
        card(panel, row.tag).forceActiveFocus();
        keyClick(Qt.Key_Space);
        compare(stored[row.setting], true);
        stored[row.setting] = false;
        verify(!card(panel, row.tag).checked, "follows a change from elsewhere");
    }
    function test_withoutABackendsMicrophoneThereIsNoHandsFree() {
        const panel = make({
            "canListen": false
        });
        compare(card(panel, "handsFree").value, "Not available");
        mouseClick(card(panel, "handsFree"));
        compare(stored.wakeWordEnabled, true);
    }
    function test_addressIsTypedOnTheScreen() {
        const panel = make();
        const page = open(panel, "backendUrl");
        const field = inspector.find(page, "field");
        compare(field.text, "http://localhost:8000");
        for (let i = 0; i < 4; ++i)
            mouseClick(inspector.find(page, "key-backspace"));
        type(page, "9000");
        mouseClick(inspector.find(page, "save"));
        compare(url.signalArguments[0][0], "http://localhost:9000");
        compare(panel.page, "");
    }
    function test_addressIsTypedOnAKeyboard() {
        const page = open(make(), "backendUrl");
        keyClick(Qt.Key_A, Qt.ControlModifier);
        for (const letter of "http://car")
            keyClick(letter);
        keyClick(Qt.Key_Return);
        compare(url.signalArguments[0][0], "http://car");
        compare(page.visible, false);
    }
    function test_wrongAddressCannotBeSaved_data() {
        const hosts = ["http://a b", "http://host/path", "http://user@host", "http://host:123456"];
        return ["", "localhost:8000", "ftp://localhost", "http://", ...hosts].map(text => ({
            "tag": text
        }));
    }
    function test_wrongAddressCannotBeSaved(row: var) {
        const page = open(make(), "backendUrl");
        inspector.find(page, "field").text = row.tag;
        verify(!inspector.find(page, "save").enabled);
        compare(inspector.find(page, "fieldTitle").text, "Such as http://localhost:8000");
        keyClick(Qt.Key_Return);
        compare(url.count, 0);
    }
    function test_apiKey() {
        const panel = make();
        const page = open(panel, "apiKey");
        type(page, "a1");
        mouseClick(inspector.find(page, "key-shift"));
        type(page, "b");
        mouseClick(inspector.find(page, "save"));
        compare(stored.apiKey, "a1B");
        compare(card(panel, "apiKey").value, "Entered");
    }
    function test_leavingAPageChangesNothing() {
        const panel = make();
        const page = open(panel, "apiKey");
        type(page, "a1");
        mouseClick(inspector.find(page, "back"));
        compare(stored.apiKey, "");
        compare(panel.page, "");
        const again = open(panel, "apiKey");
        compare(inspector.find(again, "field").text, "", "and is forgotten");
    }
    function test_escapeGoesBackStepByStep() {
        const panel = make();
        open(panel, "language");
        keyClick(Qt.Key_Escape);
        compare(panel.page, "");
        compare(closed.count, 0);
        keyClick(Qt.Key_Escape);
        compare(closed.count, 1);
    }
    function test_backButtonCloses() {
        const panel = make();
        mouseClick(inspector.find(panel, "back"));
        compare(closed.count, 1);
        verify(!panel.visible);
        panel.open();
        verify(panel.visible);
        verify(panel.activeFocus);
    }
    function test_historyIsClearedAfterASecondTap() {
        const panel = make();
        const button = inspector.find(panel, "clearHistory");
        mouseClick(button);
        compare(cleared.count, 0);
        compare(button.text, "Really clear?");
        mouseClick(button);
        compare(cleared.count, 1);
        compare(button.text, "Clear history");
    }
    function test_touchesStayHere() {
        const panel = make();
        mouseClick(panel, 2, 2);
        compare([closed.count, panel.page], [0, ""]);
    }
}
