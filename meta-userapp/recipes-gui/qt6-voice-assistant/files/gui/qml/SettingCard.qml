import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T

/// One setting: its name, its value, and a switch where it is on or off; otherwise a tap shows the choices.
T.AbstractButton {
    id: card

    required property Theme theme
    /// The value in words.
    required property string value

    component Switch: Rectangle {
        id: track

        required property Theme theme
        required property bool checked
        required property bool mirrored
        readonly property int gap: theme.px(5)

        implicitWidth: theme.px(68)
        implicitHeight: theme.px(38)
        radius: height / 2
        color: checked ? theme.accent : theme.surfacePressed
        border.width: checked ? 0 : theme.line
        border.color: theme.outline

        Rectangle {
            anchors.verticalCenter: parent.verticalCenter
            x: track.checked !== track.mirrored ? track.width - width - track.gap : track.gap
            width: track.height - 2 * track.gap
            height: width
            radius: width / 2
            color: track.checked ? track.theme.textOnAccent : track.theme.textDim
        }
    }

    implicitHeight: theme.px(88)
    focusPolicy: Qt.StrongFocus

    Accessible.role: checkable ? Accessible.CheckBox : Accessible.Button
    Accessible.name: text
    Accessible.description: value

    contentItem: RowLayout {
        spacing: card.theme.spacing

        ColumnLayout {
            Layout.fillWidth: true
            Layout.leftMargin: card.theme.margin
            spacing: card.theme.px(4)

            Text {
                objectName: "label"
                Layout.fillWidth: true
                text: card.text
                color: card.theme.textDim
                font.pixelSize: card.theme.fontSmall
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
            Text {
                objectName: "value"
                Layout.fillWidth: true
                text: card.value
                textFormat: Text.PlainText
                color: card.enabled ? card.theme.text : card.theme.textDim
                font.pixelSize: card.theme.fontMedium
                font.weight: Font.Medium
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
        }
        Icon {
            Layout.rightMargin: card.theme.spacing
            visible: !card.checkable && card.enabled
            name: "forward"
            directional: true
            size: card.theme.px(30)
            color: card.theme.textDim
        }
        Switch {
            objectName: "switch"
            Layout.rightMargin: card.theme.margin
            visible: card.checkable && card.enabled
            theme: card.theme
            checked: card.checked
            mirrored: card.mirrored
        }
    }

    background: Rectangle {
        radius: card.theme.radius
        color: card.down ? card.theme.surfacePressed : card.theme.surface
        border.width: card.visualFocus ? 2 * card.theme.line : 0
        border.color: card.theme.accent
    }
}
