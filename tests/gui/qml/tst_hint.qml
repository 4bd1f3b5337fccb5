import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    name: "Hint"

    Hint {
        id: hint
        conversationState: Conversation.Idle
        backendState: NetworkManager.Ready
        backendMessage: ""
        hasMicrophone: true
        handsFree: false
        wakeWord: ""
    }

    function test_text_data() {
        const rows = [];
        const add = (text, conversation, backend, hasMicrophone, handsFree) => rows.push({
                "tag": `${rows.length}: ${text}`,
                "text": text,
                "conversation": conversation,
                "backend": backend,
                "hasMicrophone": hasMicrophone,
                "handsFree": handsFree
            });
        const ready = NetworkManager.Ready;
        for (const speaking of [Conversation.Held, Conversation.Tapped, Conversation.HandsFree])
            add("Speak now.", speaking, ready, true, true);
        for (const waiting of [Conversation.Sent, Conversation.HandsFreeSent])
            add("One moment …", waiting, ready, true, true);
        add("One moment …", Conversation.Sent, NetworkManager.Starting, true, true);
        add("The model is loaded.", Conversation.Idle, NetworkManager.Starting, true, true);
        add("", Conversation.Idle, NetworkManager.Lost, true, true);
        add("", Conversation.Idle, NetworkManager.Failed, true, true);
        add("", Conversation.NothingHeard, NetworkManager.Lost, true, true);
        add("Nothing was heard. Say it again.", Conversation.NothingHeard, ready, true, true);
        add("Hold the button and speak, or say the wake word.", Conversation.Idle, ready, true, true);
        add("Hold the button and speak.", Conversation.Idle, ready, true, false);
        add("Hold the button and speak.", Conversation.Error, ready, true, false);
        add("Say the wake word, then speak.", Conversation.Idle, ready, false, true);
        add("Connect a microphone.", Conversation.Idle, ready, false, false);
        return rows;
    }
    function test_wakeWord() {
        hint.conversationState = Conversation.Idle;
        hint.backendState = NetworkManager.Ready;
        hint.wakeWord = "Hey Mycroft";
        for (const hasMicrophone of [true, false]) {
            hint.hasMicrophone = hasMicrophone;
            hint.handsFree = true;
            compare(hint.text, "Say “Hey Mycroft”.");
            hint.handsFree = false;
            verify(!hint.text.includes("Mycroft"));
        }
        hint.wakeWord = "";
    }
    function test_text(row: var) {
        hint.conversationState = row.conversation;
        hint.backendState = row.backend;
        hint.backendMessage = row.backend === NetworkManager.Starting ? "The model is loaded." : "";
        hint.hasMicrophone = row.hasMicrophone;
        hint.handsFree = row.handsFree;
        compare(hint.text, row.text);
    }
}
