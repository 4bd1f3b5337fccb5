import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// How a command went, in a word and a symbol of its own shape and colour.
RowLayout {
    id: line

    /// CommandCard.State
    required property int state

    readonly property string word: {
        switch (state) {
        case CommandCard.Doing:
            return qsTr("One moment");
        case CommandCard.Done:
            return qsTr("Done");
        case CommandCard.TakenBack:
            return qsTr("Taken back");
        case CommandCard.Refused:
            return qsTr("Not done");
        case CommandCard.TimedOut:
            return qsTr("No answer from the car");
        case CommandCard.Asking:
            return qsTr("Ten seconds to answer");
        case CommandCard.Dropped:
            return qsTr("Nothing was done");
        }
        return "";
    }
    readonly property string symbol: {
        switch (state) {
        case CommandCard.Doing:
        case CommandCard.TimedOut:
            return "hourglass";
        case CommandCard.Done:
            return "ready";
        case CommandCard.TakenBack:
            return "undo";
        case CommandCard.Refused:
            return "cross";
        case CommandCard.Asking:
            return "question";
        }
        return "sound";
    }
    readonly property color symbolColor: {
        switch (state) {
        case CommandCard.Done:
        case CommandCard.TakenBack:
            return Theme.accent;
        case CommandCard.Refused:
        case CommandCard.TimedOut:
            return Theme.alert;
        case CommandCard.Asking:
            return Theme.question;
        }
        return Theme.textDim;
    }

    visible: word !== ""
    spacing: Theme.px(8)
    Accessible.role: Accessible.StaticText
    Accessible.name: word

    Icon {
        objectName: "symbol"
        name: line.symbol
        size: Theme.px(30)
        color: line.symbolColor
    }
    Text {
        objectName: "word"
        Layout.fillWidth: true
        text: line.word
        color: line.symbolColor
        font.pixelSize: Theme.fontSmall
        font.weight: Font.Medium
        wrapMode: Text.Wrap
        horizontalAlignment: Text.AlignLeft
    }
}
