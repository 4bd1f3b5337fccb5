import QtQuick
import VoiceAssistant

/// Decides what the banner says and what its button does: one fault at a time, the most serious first.
QtObject {
    id: trouble

    enum Kind {
        None,
        Backend,
        Conversation,
        Notice
    }

    /// NetworkManager.BackendState
    required property int backendState
    required property string backendMessage
    /// The conversation's error; empty: none.
    required property string error
    required property string errorWayOut
    /// The settings leave the backend's fault out, as that is where it can be mended.
    required property bool settingsShown
    /// A complaint about settings or history; empty: none.
    property string notice

    readonly property bool isLost: backendState === NetworkManager.Lost
    readonly property int kind: {
        if ((isLost || backendState === NetworkManager.Failed) && !settingsShown)
            return Trouble.Backend;
        if (error !== "")
            return Trouble.Conversation;
        return notice === "" ? Trouble.None : Trouble.Notice;
    }
    readonly property string message: {
        switch (kind) {
        case Trouble.Backend:
            return backendMessage;
        case Trouble.Conversation:
            return error;
        }
        return notice;
    }
    /// What to do; empty where the message says so itself.
    readonly property string wayOut: {
        if (kind === Trouble.Conversation)
            return errorWayOut;
        return kind === Trouble.Backend && isLost ? qsTr("It comes back by itself. Your history is kept.") : "";
    }
    readonly property string action: kind === Trouble.Backend ? qsTr("Try now") : qsTr("OK")

    /// The conversation's error has been read.
    signal dismissed
    /// The driver wants the backend to be asked for its health.
    signal checkRequested

    /// Does what the banner's button is for.
    function act() {
        dismissed();
        notice = "";
        if (kind === Trouble.Backend)
            checkRequested();
    }
}
