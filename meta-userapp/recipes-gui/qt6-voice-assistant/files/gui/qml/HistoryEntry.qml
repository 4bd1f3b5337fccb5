import QtQuick
import QtQuick.Layouts

/// One line of the history.
Item {
    id: entry

    required property Theme theme
    required property int index
    required property string text
    required property date time
    required property string language
    /// Seconds from the end of speech to the text.
    required property real latency
    property bool textShown: true

    implicitHeight: Math.max(theme.px(44), line.implicitHeight + theme.px(10))

    Accessible.role: Accessible.ListItem
    Accessible.name: text

    RowLayout {
        id: line
        anchors {
            left: parent.left
            right: parent.right
            verticalCenter: parent.verticalCenter
        }
        spacing: entry.theme.px(14)

        Text {
            objectName: "time"
            Layout.minimumWidth: implicitWidth
            text: entry.time.toLocaleTimeString(Qt.locale(), Locale.ShortFormat)
            color: entry.theme.textDim
            font.pixelSize: entry.theme.fontSmall
        }
        Text {
            objectName: "text"
            Layout.fillWidth: true
            visible: entry.textShown
            text: entry.text
            textFormat: Text.PlainText
            color: entry.theme.text
            font.pixelSize: entry.theme.fontMedium
            wrapMode: Text.Wrap
            elide: Text.ElideRight
            maximumLineCount: 2
            horizontalAlignment: Text.AlignLeft
        }
        Text {
            objectName: "language"
            visible: entry.language !== ""
            text: entry.language.toUpperCase()
            color: entry.theme.textDim
            font.pixelSize: entry.theme.fontSmall
        }
        Text {
            objectName: "latency"
            visible: entry.latency > 0
            //: How long the text took, in seconds
            text: qsTr("%1 s").arg(Number(entry.latency).toLocaleString(Qt.locale(), "f", 1))
            color: entry.theme.textDim
            font.pixelSize: entry.theme.fontSmall
        }
        Item {
            Layout.fillWidth: true
            visible: !entry.textShown
        }
    }
}
