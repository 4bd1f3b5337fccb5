import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

/// A line of text and a keyboard on the screen, as a car has no other. One that is plugged in works, too.
Item {
    id: page

    required property Theme theme
    required property string title
    required property string text
    /// A regular expression that the text has to match, and an example of one that does.
    property string pattern
    property string example

    readonly property bool fits: pattern === "" || new RegExp(pattern).test(field.text.trim())
    /// Empty: nothing is.
    readonly property string wrong: fits ? "" : qsTr("Such as %1").arg(example)

    signal accepted(text: string)
    signal back

    /// Begins to edit.
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
        spacing: page.theme.px(8)

        RowLayout {
            spacing: page.theme.spacing

            TouchButton {
                objectName: "back"
                theme: page.theme
                symbol: "back"
                Accessible.name: qsTr("Back")
                onClicked: page.back()
            }
            T.TextField {
                id: field
                objectName: "field"
                Layout.fillWidth: true
                implicitHeight: page.theme.touchTarget
                leftPadding: page.theme.margin
                rightPadding: page.theme.margin
                topPadding: page.theme.px(28)
                bottomPadding: page.theme.px(4)
                color: page.theme.text
                selectionColor: page.theme.accent
                selectedTextColor: page.theme.textOnAccent
                font.pixelSize: page.theme.fontMedium
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
                    radius: page.theme.radius
                    color: page.theme.surface
                    border.width: page.theme.line
                    border.color: page.wrong === "" ? page.theme.accent : page.theme.alert

                    Text {
                        objectName: "fieldTitle"
                        anchors {
                            left: parent.left
                            right: parent.right
                            top: parent.top
                            leftMargin: page.theme.margin
                            rightMargin: page.theme.margin
                            topMargin: page.theme.px(5)
                        }
                        text: page.wrong === "" ? page.title : page.wrong
                        color: page.wrong === "" ? page.theme.textDim : page.theme.alert
                        font.pixelSize: page.theme.fontSmall
                        elide: Text.ElideRight
                        horizontalAlignment: Text.AlignLeft
                    }
                }
            }
            TouchButton {
                objectName: "save"
                theme: page.theme
                text: qsTr("Save")
                enabled: page.wrong === ""
                color: page.theme.accent
                textColor: page.theme.textOnAccent
                onClicked: page.accept()
            }
        }

        Keyboard {
            Layout.fillWidth: true
            Layout.fillHeight: true
            theme: page.theme
            onTyped: text => field.insert(field.cursorPosition, text)
            onErased: page.erase()
        }
    }
}
