import QtQuick
import QtQuick.Layouts

/// Letters, digits and what addresses and keys are made of, each as large as a finger.
GridLayout {
    id: keyboard

    required property Theme theme
    property bool upperCase: false

    signal typed(text: string)
    signal erased

    columns: 10
    rowSpacing: theme.px(6)
    columnSpacing: theme.px(6)
    // Keys lie alike everywhere.
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
            // All keys are of one width.
            Layout.preferredWidth: 1
            theme: keyboard.theme
            padding: 0
            symbol: isShift || isBackspace ? modelData : ""
            text: symbol !== "" ? "" : keyboard.upperCase ? modelData.toUpperCase() : modelData
            color: lit ? theme.accent : theme.surface
            textColor: lit ? theme.textOnAccent : theme.text
            // The cursor stays where it is.
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
