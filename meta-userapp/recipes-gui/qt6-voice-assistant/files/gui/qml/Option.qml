import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

/// One line of a choice.
T.AbstractButton {
    id: option

    required property Theme theme
    required property string detail
    /// It is what holds now.
    required property bool current

    implicitHeight: theme.px(72)
    focusPolicy: Qt.StrongFocus

    Accessible.role: Accessible.RadioButton
    Accessible.name: text
    Accessible.checked: current

    contentItem: RowLayout {
        spacing: option.theme.margin

        Text {
            objectName: "optionText"
            Layout.fillWidth: true
            Layout.leftMargin: option.theme.margin
            text: option.text
            textFormat: Text.PlainText
            color: option.theme.text
            font.pixelSize: option.theme.fontLarge
            font.weight: option.current ? Font.Medium : Font.Normal
            elide: Text.ElideRight
            horizontalAlignment: Text.AlignLeft
        }
        Text {
            visible: text !== ""
            text: option.detail
            color: option.theme.textDim
            font.pixelSize: option.theme.fontSmall
        }
        Icon {
            Layout.rightMargin: option.theme.margin
            name: option.current ? "check" : ""
            size: option.theme.px(34)
            color: option.theme.accent
        }
    }

    background: Rectangle {
        radius: option.theme.radius
        color: option.down ? option.theme.surfacePressed : option.theme.surface
        border.width: option.current || option.visualFocus ? option.theme.line : 0
        border.color: option.theme.accent
    }
}
