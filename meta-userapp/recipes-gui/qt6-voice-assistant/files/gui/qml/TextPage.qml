import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import VoiceAssistant

/// A text field with a keyboard on the screen, as a car has no other; a keyboard that is plugged in works too.
Item {
    id: page

    required property string title
    required property string text
    /// A regular expression that the text has to match, and an example of one that does.
    property string pattern
    property string example

    /// What is in the field now.
    readonly property alias entered: field.text
    readonly property bool fits: pattern === "" || new RegExp(pattern).test(field.text.trim())
    /// What is wrong with the text; empty: nothing.
    readonly property string wrong: fits ? "" : qsTr("Such as %1").arg(example)

    signal accepted(text: string)
    signal back

    /// Shows the text, ready to be edited.
    function open() {
        field.text = text;
        field.forceActiveFocus();
    }
    function accept() {
        if (wrong === "")
            accepted(field.text.trim());
    }
    function erase() {
        if (field.selectedText !== "")
            field.remove(field.selectionStart, field.selectionEnd);
        else
            field.remove(field.cursorPosition - 1, field.cursorPosition);
    }

    ColumnLayout {
        anchors.fill: parent
        spacing: Theme.px(8)

        RowLayout {
            spacing: Theme.spacing

            TouchButton {
                objectName: "back"
                symbol: "back"
                Accessible.name: qsTr("Back")
                onClicked: page.back()
            }
            T.TextField {
                id: field
                objectName: "field"
                Layout.fillWidth: true
                implicitHeight: Theme.touchTarget
                leftPadding: Theme.margin
                rightPadding: Theme.margin
                topPadding: Theme.px(28)
                bottomPadding: Theme.px(4)
                color: Theme.text
                selectionColor: Theme.accent
                selectedTextColor: Theme.textOnAccent
                font.pixelSize: Theme.fontMedium
                verticalAlignment: TextInput.AlignVCenter
                horizontalAlignment: TextInput.AlignLeft
                inputMethodHints: Qt.ImhUrlCharactersOnly | Qt.ImhNoAutoUppercase | Qt.ImhNoPredictiveText
                Accessible.name: page.title
                onAccepted: page.accept()

                cursorDelegate: Rectangle {
                    readonly property T.TextField owner: parent as T.TextField
                    width: Math.max(2, owner.font.pixelSize / 10)
                    visible: owner.cursorVisible
                    color: owner.color
                }
                background: Rectangle {
                    radius: Theme.radius
                    color: Theme.surface
                    border.width: Theme.line
                    border.color: page.wrong === "" ? Theme.accent : Theme.alert

                    Text {
                        objectName: "fieldTitle"
                        anchors {
                            left: parent.left
                            right: parent.right
                            top: parent.top
                            leftMargin: Theme.margin
                            rightMargin: Theme.margin
                            topMargin: Theme.px(5)
                        }
                        text: page.wrong === "" ? page.title : page.wrong
                        color: page.wrong === "" ? Theme.textDim : Theme.alert
                        font.pixelSize: Theme.fontSmall
                        elide: Text.ElideRight
                        horizontalAlignment: Text.AlignLeft
                    }
                }
            }
            TouchButton {
                objectName: "save"
                text: qsTr("Save")
                enabled: page.wrong === ""
                color: Theme.accent
                textColor: Theme.textOnAccent
                onClicked: page.accept()
            }
        }

        Keyboard {
            Layout.fillWidth: true
            Layout.fillHeight: true
            onTyped: text => field.insert(field.cursorPosition, text)
            onErased: page.erase()
        }
    }
}
