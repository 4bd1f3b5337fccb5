import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// Shows what went wrong and what to do about it, with a button that does it.
Rectangle {
    id: banner

    required property string message
    required property string wayOut
    /// Text of the button; empty: there is no button.
    required property string action

    signal acted

    implicitHeight: Math.max(Theme.touchTarget, sentences.implicitHeight) + 2 * Theme.px(8)
    radius: Theme.radius
    color: Theme.surface
    border.width: Theme.line
    border.color: Theme.alert

    Accessible.role: Accessible.AlertMessage
    Accessible.name: message + " " + wayOut

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: Theme.margin
        anchors.rightMargin: Theme.px(8)
        spacing: Theme.margin

        Icon {
            name: "warning"
            size: Theme.px(44)
            color: Theme.alert
        }
        ColumnLayout {
            id: sentences
            Layout.fillWidth: true
            spacing: Theme.px(2)

            Text {
                objectName: "message"
                Layout.fillWidth: true
                text: banner.message
                textFormat: Text.PlainText
                color: Theme.text
                font.pixelSize: Theme.fontMedium
                font.weight: Font.Medium
                wrapMode: Text.Wrap
                maximumLineCount: 3
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
            Text {
                objectName: "wayOut"
                Layout.fillWidth: true
                visible: text !== ""
                text: banner.wayOut
                textFormat: Text.PlainText
                color: Theme.textDim
                font.pixelSize: Theme.fontSmall
                wrapMode: Text.Wrap
                maximumLineCount: 2
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
        }
        TouchButton {
            objectName: "action"
            visible: text !== ""
            text: banner.action
            color: Theme.alert
            textColor: Theme.textOnAlert
            onClicked: banner.acted()
        }
    }
}
