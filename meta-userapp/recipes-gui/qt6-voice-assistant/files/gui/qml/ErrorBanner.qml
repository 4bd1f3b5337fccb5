import QtQuick
import QtQuick.Layouts

/// What went wrong, the way out of it, and a button that takes it.
Rectangle {
    id: banner

    required property Theme theme
    required property string message
    required property string wayOut
    /// Empty: no button.
    required property string action

    signal acted

    implicitHeight: Math.max(theme.touchTarget, sentences.implicitHeight) + 2 * theme.px(8)
    radius: theme.radius
    color: theme.surface
    border.width: theme.line
    border.color: theme.alert

    Accessible.role: Accessible.AlertMessage
    Accessible.name: message + " " + wayOut

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: banner.theme.margin
        anchors.rightMargin: banner.theme.px(8)
        spacing: banner.theme.margin

        Icon {
            name: "warning"
            size: banner.theme.px(44)
            color: banner.theme.alert
        }
        ColumnLayout {
            id: sentences
            Layout.fillWidth: true
            spacing: banner.theme.px(2)

            Text {
                objectName: "message"
                Layout.fillWidth: true
                text: banner.message
                textFormat: Text.PlainText
                color: banner.theme.text
                font.pixelSize: banner.theme.fontMedium
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
                color: banner.theme.textDim
                font.pixelSize: banner.theme.fontSmall
                wrapMode: Text.Wrap
                maximumLineCount: 2
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
        }
        TouchButton {
            objectName: "action"
            theme: banner.theme
            visible: text !== ""
            text: banner.action
            color: banner.theme.alert
            textColor: banner.theme.textOnAlert
            onClicked: banner.acted()
        }
    }
}
