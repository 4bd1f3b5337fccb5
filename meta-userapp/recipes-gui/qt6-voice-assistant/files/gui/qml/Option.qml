import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import VoiceAssistant

/// One line of a list of choices.
T.AbstractButton {
    id: option

    required property string detail
    /// Whether it is the present choice.
    required property bool current

    implicitHeight: Theme.px(72)
    focusPolicy: Qt.StrongFocus

    Accessible.role: Accessible.RadioButton
    Accessible.name: text
    Accessible.checked: current

    contentItem: RowLayout {
        spacing: Theme.margin

        Text {
            objectName: "optionText"
            Layout.fillWidth: true
            Layout.leftMargin: Theme.margin
            text: option.text
            textFormat: Text.PlainText
            color: Theme.text
            font.pixelSize: Theme.fontLarge
            font.weight: option.current ? Font.Medium : Font.Normal
            elide: Text.ElideRight
            horizontalAlignment: Text.AlignLeft
        }
        Text {
            visible: text !== ""
            text: option.detail
            color: Theme.textDim
            font.pixelSize: Theme.fontSmall
        }
        Icon {
            Layout.rightMargin: Theme.margin
            name: option.current ? "check" : ""
            size: Theme.px(34)
            color: Theme.accent
        }
    }

    background: Rectangle {
        radius: Theme.radius
        color: option.down ? Theme.surfacePressed : Theme.surface
        border.width: option.current || option.visualFocus ? Theme.line : 0
        border.color: Theme.accent
    }
}
