import QtQuick
import VoiceAssistant

/// Says what to do, or what the assistant is doing; shown where the text will be.
QtObject {
    /// Conversation.State
    required property int conversationState
    /// NetworkManager.BackendState
    required property int backendState
    /// Why the backend is not ready.
    required property string backendMessage
    /// Whether the screen has a microphone.
    required property bool hasMicrophone
    /// Whether the backend's microphone waits for the wake word.
    required property bool handsFree
    /// What it waits for, as people say it; empty: nobody knows.
    required property string wakeWord

    readonly property string text: {
        switch (conversationState) {
        case Conversation.Held:
        case Conversation.Tapped:
        case Conversation.HandsFree:
            return qsTr("Speak now.");
        case Conversation.Sent:
        case Conversation.HandsFreeSent:
            return qsTr("One moment …");
        }
        if (backendState === NetworkManager.Starting)
            return backendMessage;
        if (backendState !== NetworkManager.Ready)
            return ""; // the banner says why
        if (conversationState === Conversation.NothingHeard)
            return qsTr("Nothing was heard. Say it again.");
        if (handsFree && wakeWord !== "")
            return qsTr("Say “%1”.").arg(wakeWord);
        if (!hasMicrophone)
            return handsFree ? qsTr("Say the wake word, then speak.") : qsTr("Connect a microphone.");
        if (handsFree)
            return qsTr("Hold the button and speak, or say the wake word.");
        return qsTr("Hold the button and speak.");
    }
}
