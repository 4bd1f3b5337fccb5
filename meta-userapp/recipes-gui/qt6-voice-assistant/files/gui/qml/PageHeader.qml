import QtQuick
import QtQuick.Layouts

/// The way back and where one is; what stands inside follows at the end of the line.
RowLayout {
    id: header

    required property Theme theme
    required property string title

    signal back

    spacing: theme.spacing

    TouchButton {
        objectName: "back"
        theme: header.theme
        symbol: "back"
        Accessible.name: qsTr("Back")
        onClicked: header.back()
    }
    Text {
        objectName: "title"
        Layout.fillWidth: true
        text: header.title
        color: header.theme.text
        font.pixelSize: header.theme.fontLarge
        font.weight: Font.Medium
        elide: Text.ElideRight
        horizontalAlignment: Text.AlignLeft
        Accessible.role: Accessible.Heading
        Accessible.name: text
    }
}
