import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import VoiceAssistant

/// One setting: its name, its value, and a switch where it is on or off; otherwise a tap shows the choices.
T.AbstractButton {
    id: card

    /// The value in words.
    required property string value

    component Switch: Rectangle {
        id: track

        required property bool checked
        required property bool mirrored
        readonly property int gap: Theme.px(5)

        implicitWidth: Theme.px(68)
        implicitHeight: Theme.px(38)
        radius: height / 2
        color: checked ? Theme.accent : Theme.surfacePressed
        border.width: checked ? 0 : Theme.line
        border.color: Theme.outline

        Rectangle {
            anchors.verticalCenter: parent.verticalCenter
            x: track.checked !== track.mirrored ? track.width - width - track.gap : track.gap
            width: track.height - 2 * track.gap
            height: width
            radius: width / 2
            color: track.checked ? Theme.textOnAccent : Theme.textDim
        }
    }

    implicitHeight: Theme.px(88)
    focusPolicy: Qt.StrongFocus

    Accessible.role: checkable ? Accessible.CheckBox : Accessible.Button
    Accessible.name: text
    Accessible.description: value

    contentItem: RowLayout {
        spacing: Theme.spacing

        ColumnLayout {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.margin
            spacing: Theme.px(4)

            Text {
                objectName: "label"
                Layout.fillWidth: true
                text: card.text
                color: Theme.textDim
                font.pixelSize: Theme.fontSmall
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
            Text {
                objectName: "value"
                Layout.fillWidth: true
                text: card.value
                textFormat: Text.PlainText
                color: card.enabled ? Theme.text : Theme.textDim
                font.pixelSize: Theme.fontMedium
                font.weight: Font.Medium
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
        }
        Icon {
            Layout.rightMargin: Theme.spacing
            visible: !card.checkable && card.enabled
            name: "forward"
            directional: true
            size: Theme.px(30)
            color: Theme.textDim
        }
        Switch {
            objectName: "switch"
            Layout.rightMargin: Theme.margin
            visible: card.checkable && card.enabled
            checked: card.checked
            mirrored: card.mirrored
        }
    }

    background: Rectangle {
        radius: Theme.radius
        color: card.down ? Theme.surfacePressed : Theme.surface
        border.width: card.visualFocus ? 2 * Theme.line : 0
        border.color: Theme.accent
    }
}
