import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// What the assistant says; a symbol of its own shape and colour tells how it went. A tap on it is a signal.
RowLayout {
    id: line

    required property string answer
    /// done, failed, heard or question
    required property string earcon
    property int fontSize: Theme.fontLarge
    property color textColor: Theme.text

    signal tapped

    readonly property string symbol: {
        switch (earcon) {
        case "done":
            return "ready";
        case "failed":
            return "cross";
        case "question":
            return "question";
        }
        return "sound";
    }
    readonly property color symbolColor: {
        switch (earcon) {
        case "done":
            return Theme.accent;
        case "failed":
            return Theme.alert;
        case "question":
            return Theme.question;
        }
        return Theme.textDim;
    }

    spacing: fontSize / 2
    Accessible.role: Accessible.StaticText
    Accessible.name: answer
    Accessible.onPressAction: tapped()

    TapHandler {
        margin: Theme.spacing
        onTapped: line.tapped()
    }
    Icon {
        objectName: "symbol"
        Layout.alignment: Qt.AlignTop
        size: 1.25 * line.fontSize
        name: line.symbol
        color: line.symbolColor
    }
    Text {
        objectName: "text"
        Layout.fillWidth: true
        text: line.answer
        textFormat: Text.PlainText
        color: line.textColor
        font.pixelSize: line.fontSize
        wrapMode: Text.Wrap
        elide: Text.ElideRight
        maximumLineCount: 3
        horizontalAlignment: Text.AlignLeft
    }
}
