import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// Keys for letters, digits and the signs of addresses and API keys, each as large as a finger.
GridLayout {
    id: keyboard

    property bool upperCase: false

    signal typed(text: string)
    signal erased

    columns: 10
    rowSpacing: Theme.px(6)
    columnSpacing: Theme.px(6)
    // The order of keys is the same in every language.
    LayoutMirroring.enabled: false
    LayoutMirroring.childrenInherit: true

    Repeater {
        model: [..."1234567890qwertyuiopasdfghjkl-", "shift", ..."zxcvbnm.", "backspace", ...":/_@=+?&%#"]

        delegate: TouchButton {
            id: key

            required property string modelData
            readonly property Keyboard keyboard: parent as Keyboard
            readonly property bool isShift: modelData === "shift"
            readonly property bool isBackspace: modelData === "backspace"
            readonly property bool lit: isShift && keyboard.upperCase

            objectName: "key-" + modelData
            Layout.fillWidth: true
            Layout.fillHeight: true
            // All keys have the same width.
            Layout.preferredWidth: 1
            padding: 0
            symbol: isShift || isBackspace ? modelData : ""
            text: symbol !== "" ? "" : keyboard.upperCase ? modelData.toUpperCase() : modelData
            color: lit ? Theme.accent : Theme.surface
            textColor: lit ? Theme.textOnAccent : Theme.text
            // The text field keeps the cursor.
            focusPolicy: Qt.NoFocus
            autoRepeat: isBackspace
            Accessible.name: isShift ? qsTr("Capital letters") : isBackspace ? qsTr("Delete") : text
            onClicked: {
                if (isShift)
                    keyboard.upperCase = !keyboard.upperCase;
                else if (isBackspace)
                    keyboard.erased();
                else
                    keyboard.typed(text);
            }
        }
    }
}
