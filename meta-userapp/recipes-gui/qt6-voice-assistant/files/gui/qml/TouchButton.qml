import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

/// A button with a symbol or a text; never smaller than a finger in a glove.
T.Button {
    id: button

    required property Theme theme
    /// A name of Icon's.
    property string symbol
    property color color: theme.surface
    property color textColor: theme.text

    readonly property color lineColor: !enabled ? theme.textDim : down ? theme.text : textColor

    implicitWidth: Math.max(theme.touchTarget, implicitContentWidth + leftPadding + rightPadding)
    implicitHeight: theme.touchTarget
    padding: 0
    horizontalPadding: text === "" ? 0 : theme.margin
    focusPolicy: Qt.StrongFocus

    Accessible.role: Accessible.Button
    Accessible.name: text

    contentItem: RowLayout {
        spacing: 0

        Icon {
            Layout.alignment: Qt.AlignCenter
            visible: button.symbol !== ""
            name: button.symbol
            size: button.theme.px(32)
            color: button.lineColor
            directional: button.symbol === "back"
        }
        Text {
            objectName: "label"
            Layout.fillWidth: true
            visible: text !== ""
            text: button.text
            color: button.lineColor
            font.pixelSize: button.theme.fontMedium
            font.weight: Font.Medium
            horizontalAlignment: Text.AlignHCenter
        }
    }

    background: Rectangle {
        radius: button.theme.radius
        color: button.down || !button.enabled ? button.theme.surfacePressed : button.color
        border.width: button.visualFocus ? 2 * button.theme.line : 0
        border.color: button.theme.accent
    }
}
