import QtQuick
import VoiceAssistant

/// What is said, as large as it gets: grey while it may still change, bright when it is final. Under it what the
/// assistant says to it, and the history.
Item {
    id: view

    required property string partialText
    required property string finalText
    /// Shown where there is no text yet.
    required property string hint
    /// Whether a final is awaited.
    required property bool busy
    /// What the assistant says to the final; empty: nothing.
    required property string answer
    /// How it went: done, failed, heard or question.
    required property string earcon
    required property TranscriptionModel history
    property bool historyShown: true
    /// What can be said, in place of the history where there is no text; empty: nobody knows.
    property var examples: []

    /// A tap on what the assistant says.
    signal answerTapped

    readonly property bool isFinal: partialText === "" && finalText !== "" && !busy
    readonly property bool isAnswerShown: answer !== "" && isFinal
    readonly property bool examplesShown: {
        return visible && historyShown && examples.length > 0 && partialText === "" && !isFinal && !busy;
    }
    readonly property string shownText: partialText !== "" ? partialText : isFinal ? finalText : hint

    Flickable {
        id: newest
        objectName: "newest"
        anchors {
            left: parent.left
            right: parent.right
            top: parent.top
        }
        // At least two lines, so that the history below seldom moves.
        height: {
            const answerHeight = view.isAnswerShown ? reply.height + Theme.spacing : 0;
            if (!view.historyShown && !view.isAnswerShown)
                return view.height;
            const share = view.historyShown ? 0.6 : 1;
            const highest = Math.max(2 * metrics.lineSpacing, share * view.height - answerHeight);
            return Math.min(Math.max(2 * metrics.lineSpacing, label.contentHeight), highest);
        }
        contentHeight: label.contentHeight
        boundsBehavior: Flickable.StopAtBounds
        clip: contentHeight > height
        // A partial shows its end, a final its beginning.
        contentY: view.isFinal ? 0 : Math.max(0, contentHeight - height)

        FontMetrics {
            id: metrics
            font: label.font
        }

        Text {
            id: label
            objectName: "text"
            width: newest.width
            text: view.shownText
            textFormat: Text.PlainText
            color: view.isFinal ? Theme.text : Theme.textDim
            font.pixelSize: Theme.fontHuge
            font.weight: view.isFinal ? Font.Medium : Font.Normal
            wrapMode: Text.Wrap
            horizontalAlignment: Text.AlignLeft
            Accessible.role: Accessible.StaticText
            Accessible.name: text
        }
    }

    AnswerLine {
        id: reply
        objectName: "reply"
        anchors {
            left: parent.left
            right: parent.right
            top: newest.bottom
            topMargin: Theme.spacing
        }
        visible: view.isAnswerShown
        answer: view.answer
        earcon: view.earcon
        onTapped: view.answerTapped()
    }

    YouCanSay {
        objectName: "youCanSay"
        anchors {
            left: parent.left
            right: parent.right
            top: newest.bottom
            topMargin: Theme.spacing
        }
        visible: view.examplesShown
        examples: view.examples
        room: view.height - y
    }
    HistoryList {
        objectName: "history"
        anchors {
            left: parent.left
            right: parent.right
            top: reply.visible ? reply.bottom : newest.bottom
            topMargin: Theme.spacing
            bottom: parent.bottom
        }
        visible: view.historyShown && !view.examplesShown
        newestText: view.isFinal ? view.finalText : ""
        model: view.history
    }
}
