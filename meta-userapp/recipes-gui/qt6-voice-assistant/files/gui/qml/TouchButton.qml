import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import VoiceAssistant

/// A button with a symbol or a text; never smaller than a finger in a glove.
T.Button {
    id: button

    /// One of Icon's names; empty: none.
    property string symbol
    property color color: Theme.surface
    property color textColor: Theme.text

    readonly property color lineColor: !enabled ? Theme.textDim : down ? Theme.text : textColor

    implicitWidth: Math.max(Theme.touchTarget, implicitContentWidth + leftPadding + rightPadding)
    implicitHeight: Theme.touchTarget
    padding: 0
    horizontalPadding: text === "" ? 0 : Theme.margin
    focusPolicy: Qt.StrongFocus

    Accessible.role: Accessible.Button
    Accessible.name: text

    contentItem: RowLayout {
        spacing: 0

        Icon {
            Layout.alignment: Qt.AlignCenter
            visible: button.symbol !== ""
            name: button.symbol
            size: Theme.px(32)
            color: button.lineColor
            directional: button.symbol === "back"
        }
        Text {
            objectName: "label"
            Layout.fillWidth: true
            visible: text !== ""
            text: button.text
            color: button.lineColor
            font.pixelSize: Theme.fontMedium
            font.weight: Font.Medium
            horizontalAlignment: Text.AlignHCenter
            elide: Text.ElideRight // only what others name is that long
        }
    }

    background: Rectangle {
        radius: Theme.radius
        color: button.down || !button.enabled ? Theme.surfacePressed : button.color
        border.width: button.visualFocus ? 2 * Theme.line : 0
        border.color: Theme.accent
    }
}
