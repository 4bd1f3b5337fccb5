import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// Everything that can be chosen, on one page without scrolling; a choice out of many opens a page of its own.
Rectangle {
    id: panel

    required property SettingsManager settings
    /// What the backend offers; empty while it is not there.
    required property var languages
    required property var models
    required property string modelName
    /// Whether the backend warns that the model knows few words.
    property bool modelIsSmall: false
    required property string backendUrl
    required property bool canListen
    required property var inputDevices
    /// Version of the device's image; empty where there is none.
    required property string systemVersion
    /// Empty while it is not known.
    required property string backendVersion

    readonly property string system: systemVersion === "" ? "" : qsTr("System %1").arg(systemVersion)
    readonly property string version: {
        return qsTr("Screen %1, backend %2").arg(Qt.application.version).arg(backendVersion || "–");
    }
    readonly property string urlPattern: "^https?://[^\\s/:?#@]+(:\\d{1,5})?/?$"
    readonly property string systemDefault: qsTr("Automatic")

    signal modelChosen(name: string)
    signal backendUrlChosen(url: string)
    signal historyCleared
    signal closed

    /// Milliseconds without a touch or a key after which it closes.
    property int idleTimeout: 30000

    /// Which page lies over the cards: "choice", "text" or none; and for which setting.
    property string page
    property string setting

    function open() {
        visible = true;
        forceActiveFocus();
    }
    /// Out of the panel, whatever is shown there; what was entered and not accepted is dropped.
    function close() {
        if (!visible)
            return;
        page = "";
        visible = false;
        closed();
    }
    /// One step back: out of a page, then out of the panel.
    function back() {
        if (page === "") {
            close();
            return;
        }
        page = "";
        forceActiveFocus();
    }
    function openChoice(card: SettingCard, options: var, current: string) {
        setting = card.objectName;
        choicePage.title = card.text;
        choicePage.current = current;
        choicePage.options = options;
        page = "choice";
    }
    function openText(card: SettingCard, text: string, pattern: string, example: string) {
        setting = card.objectName;
        textPage.title = card.text;
        textPage.text = text;
        textPage.pattern = pattern;
        textPage.example = example;
        page = "text";
        textPage.open();
    }
    /// Stores what was chosen or entered on a page.
    function choose(value: string) {
        switch (setting) {
        case "language":
            settings.language = value;
            break;
        case "model":
            modelChosen(value);
            break;
        case "inputDevice":
            settings.inputDevice = value;
            break;
        case "uiLanguage":
            settings.uiLanguage = value;
            break;
        case "backendUrl":
            backendUrlChosen(value);
            break;
        case "apiKey":
            settings.apiKey = value;
        }
        back();
    }
    function languageOptions(codes: var): var {
        return codes.map(code => ({
            "value": code,
            "text": languageNames.name(code),
            "detail": code === "auto" ? "" : code.toUpperCase()
        }));
    }
    function options(names: var): var {
        return names.map(name => ({
            "value": name,
            "text": name === "" ? systemDefault : name,
            "detail": ""
        }));
    }

    LanguageNames {
        id: languageNames
    }

    color: Theme.background

    Keys.onEscapePressed: back()
    Keys.onBackPressed: back()

    // Touches beside the cards do not reach what lies below the panel.
    MouseArea {
        anchors.fill: parent
    }

    ColumnLayout {
        anchors.fill: parent
        anchors.margins: Theme.spacing
        spacing: Theme.spacing
        visible: panel.page === ""

        PageHeader {
            title: qsTr("Settings")
            onBack: panel.back()

            ColumnLayout {
                Layout.maximumWidth: panel.width / 2
                spacing: 0

                Text {
                    objectName: "system"
                    Layout.fillWidth: true
                    visible: text !== ""
                    text: panel.system
                    color: Theme.textDim
                    font.pixelSize: Theme.fontSmall
                    elide: Text.ElideRight
                }
                Text {
                    objectName: "version"
                    Layout.fillWidth: true
                    text: panel.version
                    color: Theme.textDim
                    font.pixelSize: Theme.fontSmall
                    elide: Text.ElideRight
                }
            }
            TouchButton {
                id: clear
                objectName: "clearHistory"
                property bool sure: false
                text: sure ? qsTr("Really clear?") : qsTr("Clear history")
                textColor: sure ? Theme.alert : Theme.text
                onClicked: {
                    if (sure)
                        panel.historyCleared();
                    sure = !sure;
                }
                Timer {
                    running: clear.sure
                    interval: 4000
                    onTriggered: clear.sure = false
                }
            }
        }

        GridLayout {
            objectName: "cards"
            Layout.fillWidth: true
            Layout.fillHeight: true
            columns: 2
            rowSpacing: Theme.px(8)
            columnSpacing: Theme.px(8)

            SettingCard {
                objectName: "language"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: qsTr("You speak")
                value: languageNames.name(panel.settings.language)
                onClicked: {
                    const options = panel.languageOptions(["auto", ...panel.languages]);
                    panel.openChoice(this, options, panel.settings.language);
                }
            }
            SettingCard {
                objectName: "handsFree"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: qsTr("Hands-free with wake word")
                value: !enabled ? qsTr("Not available") : checked ? qsTr("On") : qsTr("Off")
                enabled: panel.canListen
                checkable: true
                checked: panel.settings.wakeWordEnabled
                onToggled: panel.settings.wakeWordEnabled = checked
            }
            SettingCard {
                objectName: "model"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: panel.modelIsSmall ? qsTr("Speech model, knows few words") : qsTr("Speech model")
                value: panel.modelName === "" ? qsTr("Not available") : panel.modelName
                enabled: panel.models.length > 0
                onClicked: panel.openChoice(this, panel.options(panel.models), panel.modelName)
            }
            SettingCard {
                objectName: "inputDevice"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: qsTr("Microphone")
                value: panel.settings.inputDevice || panel.systemDefault
                onClicked: {
                    const options = panel.options(["", ...panel.inputDevices]);
                    panel.openChoice(this, options, panel.settings.inputDevice);
                }
            }
            SettingCard {
                objectName: "nightTheme"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: qsTr("Night colours")
                value: checked ? qsTr("On") : qsTr("Off")
                checkable: true
                checked: panel.settings.nightTheme
                onToggled: panel.settings.nightTheme = checked
            }
            SettingCard {
                objectName: "uiLanguage"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: qsTr("Language of the screen")
                value: languageNames.name(panel.settings.uiLanguage || "auto")
                onClicked: {
                    const options = [...panel.options([""]), ...panel.languageOptions(["en", "de"])];
                    panel.openChoice(this, options, panel.settings.uiLanguage);
                }
            }
            SettingCard {
                objectName: "backendUrl"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: qsTr("Address of the backend")
                value: panel.backendUrl
                onClicked: panel.openText(this, panel.backendUrl, panel.urlPattern, "http://localhost:8000")
            }
            SettingCard {
                objectName: "apiKey"
                Layout.fillWidth: true
                Layout.fillHeight: true
                Layout.preferredWidth: 1 // columns of one width
                text: qsTr("API key of the backend")
                value: panel.settings.apiKey === "" ? qsTr("None") : qsTr("Entered")
                onClicked: panel.openText(this, panel.settings.apiKey, "", "")
            }
        }
    }

    ChoicePage {
        id: choicePage
        objectName: "choicePage"
        anchors.fill: parent
        anchors.margins: Theme.spacing
        visible: panel.page === "choice"
        title: ""
        options: []
        current: ""
        onBack: panel.back()
        onChosen: value => panel.choose(value)
    }
    Timer {
        id: idle
        interval: panel.idleTimeout
        running: panel.visible
        onTriggered: panel.close()
    }
    // Over all, and takes nothing from what lies below.
    Item {
        anchors.fill: parent
        z: 1

        PointHandler {
            onActiveChanged: idle.restart()
        }
    }
    TextPage {
        id: textPage
        objectName: "textPage"
        anchors.fill: parent
        anchors.margins: Theme.spacing
        visible: panel.page === "text"
        title: ""
        text: ""
        onBack: panel.back()
        onAccepted: text => panel.choose(text)
        onEnteredChanged: idle.restart()
    }
}
