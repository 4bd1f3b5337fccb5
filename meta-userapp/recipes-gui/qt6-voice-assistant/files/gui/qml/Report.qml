import QtQuick
import VoiceAssistant

/// Logs what the screen shows and how many frames it drew, each as a line of JSON.
Item {
    id: report

    required property bool active
    required property NetworkManager network
    required property Conversation talk
    required property TranscriptionModel history
    required property Window screen
    /// Whether something moves, so that frames are counted.
    required property bool moving

    readonly property string stateName: {
        switch (talk.state) {
        case Conversation.Held:
        case Conversation.Tapped:
        case Conversation.HandsFree:
            return "listening";
        case Conversation.Sent:
        case Conversation.HandsFreeSent:
            return "thinking";
        case Conversation.Error:
        case Conversation.ErrorUntilReady:
            return "error";
        default:
            return "idle";
        }
    }
    readonly property var backends: ["starting", "ready", "lost", "failed"]
    readonly property var cards: ["", "doing", "done", "taken back", "told", "refused", "timed out", "asking", "dropped"]
    readonly property string shown: JSON.stringify({
        "state": stateName,
        "backend": backends[network.backendState],
        "can_talk": talk.canTalk,
        "partial": talk.partialText,
        "final": talk.finalText,
        "answer": talk.answer,
        "earcon": talk.earcon,
        "card": cards[talk.card.state],
        "title": talk.card.title,
        "before": talk.card.before,
        "value": talk.card.value,
        "can_undo": talk.card.canUndo,
        "error": talk.error,
        "history": history.count
    })
    property bool complete: false
    /// Since `since`, while something moves.
    property int frames: 0
    property double since
    property double last
    property double longest

    function countAnew() {
        frames = 0;
        longest = 0;
        since = last = Date.now();
    }
    function tell(line: string) {
        if (active && complete)
            console.info(log, line);
    }

    onMovingChanged: countAnew()
    onShownChanged: tell(shown)
    Component.onCompleted: {
        complete = true;
        tell(shown);
    }

    LoggingCategory {
        id: log
        name: "screen"
    }
    Connections {
        target: report.screen
        enabled: report.active && report.moving
        function onFrameSwapped() {
            const now = Date.now();
            report.longest = Math.max(report.longest, now - report.last);
            report.last = now;
            ++report.frames;
        }
    }
    Timer {
        interval: 1000
        running: report.active && report.moving
        repeat: true
        onTriggered: {
            report.tell(JSON.stringify({
                "frames": report.frames,
                "ms": Date.now() - report.since,
                "longest_ms": report.longest
            }));
            report.countAnew();
        }
    }
}
