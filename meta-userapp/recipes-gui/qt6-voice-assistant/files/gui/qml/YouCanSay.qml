import QtQuick
import VoiceAssistant

/// Examples of what can be said, as many as have room.
Column {
    id: list

    required property var examples
    /// Of the room for them, which may be less than they want.
    required property real room

    readonly property real lineHeight: 2 * metrics.lineSpacing + spacing
    readonly property int count: Math.max(0, Math.floor((room - title.height - spacing) / lineHeight))

    spacing: Theme.spacing
    Accessible.role: Accessible.List
    Accessible.name: title.text

    FontMetrics {
        id: metrics
        font.pixelSize: Theme.fontMedium
    }
    Text {
        id: title
        objectName: "title"
        width: list.width
        visible: list.count > 0
        text: qsTr("You can say")
        color: Theme.textDim
        font.pixelSize: Theme.fontSmall
        horizontalAlignment: Text.AlignLeft
    }
    Repeater {
        model: list.examples.slice(0, list.count)

        Text {
            required property string modelData

            objectName: "text"
            width: parent ? parent.width : 0
            //: Quotation marks around what can be said
            text: qsTr("“%1”").arg(modelData)
            textFormat: Text.PlainText
            color: Theme.text
            font.pixelSize: Theme.fontMedium
            wrapMode: Text.Wrap
            elide: Text.ElideRight
            maximumLineCount: 2
            horizontalAlignment: Text.AlignLeft
        }
    }
}
