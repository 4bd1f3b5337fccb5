import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// A button that leads back, and the page's title; children follow at the end of the line.
RowLayout {
    id: header

    required property string title

    signal back

    spacing: Theme.spacing

    TouchButton {
        objectName: "back"
        symbol: "back"
        Accessible.name: qsTr("Back")
        onClicked: header.back()
    }
    Text {
        objectName: "title"
        Layout.fillWidth: true
        text: header.title
        color: Theme.text
        font.pixelSize: Theme.fontLarge
        font.weight: Font.Medium
        elide: Text.ElideRight
        horizontalAlignment: Text.AlignLeft
        Accessible.role: Accessible.Heading
        Accessible.name: text
    }
}
