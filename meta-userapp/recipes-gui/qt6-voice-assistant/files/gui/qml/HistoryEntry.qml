import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// One utterance of the history, and the answer to it.
Item {
    id: entry

    required property int index
    required property string text
    required property date time
    required property string language
    /// Seconds from the end of speech to the text.
    required property real latency
    required property string answer
    required property string earcon
    property bool textShown: true

    implicitHeight: Math.max(Theme.px(44), lines.implicitHeight + Theme.px(10))

    Accessible.role: Accessible.ListItem
    Accessible.name: text

    ColumnLayout {
        id: lines
        anchors {
            left: parent.left
            right: parent.right
            verticalCenter: parent.verticalCenter
        }
        spacing: Theme.px(2)

        RowLayout {
            spacing: Theme.px(14)

            Text {
                objectName: "time"
                Layout.minimumWidth: implicitWidth
                text: entry.time.toLocaleTimeString(Qt.locale(), Locale.ShortFormat)
                color: Theme.textDim
                font.pixelSize: Theme.fontSmall
            }
            Text {
                objectName: "text"
                Layout.fillWidth: true
                visible: entry.textShown
                text: entry.text
                textFormat: Text.PlainText
                color: Theme.text
                font.pixelSize: Theme.fontMedium
                wrapMode: Text.Wrap
                elide: Text.ElideRight
                maximumLineCount: 2
                horizontalAlignment: Text.AlignLeft
            }
            Text {
                objectName: "language"
                visible: entry.language !== ""
                text: entry.language.toUpperCase()
                color: Theme.textDim
                font.pixelSize: Theme.fontSmall
            }
            Text {
                objectName: "latency"
                visible: entry.latency > 0
                //: How long the text took, in seconds
                text: qsTr("%1 s").arg(Number(entry.latency).toLocaleString(Qt.locale(), "f", 1))
                color: Theme.textDim
                font.pixelSize: Theme.fontSmall
            }
            Item {
                Layout.fillWidth: true
                visible: !entry.textShown
            }
        }
        AnswerLine {
            objectName: "answer"
            Layout.fillWidth: true
            visible: entry.textShown && entry.answer !== ""
            answer: entry.answer
            earcon: entry.earcon
            fontSize: Theme.fontSmall
            textColor: Theme.textDim
        }
    }
}
