import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// The page to talk on: the status bar, the text with the history or the waveform, and the button.
ColumnLayout {
    id: page

    required property SettingsManager settings
    required property AudioEngine microphone
    required property NetworkManager backend
    required property Conversation talk
    required property TranscriptionModel history
    /// What can be said.
    required property var examples
    /// Height to leave free below the status bar, for the banner.
    required property real bannerHeight

    readonly property alias waveform: visualization.waveform
    readonly property alias statusBar: statusBar
    readonly property alias listening: talkButton.listening
    readonly property bool examplesShown: visible && transcription.examplesShown

    signal settingsRequested

    /// Lets the space bar and the return key talk.
    function focusButton() {
        talkButton.forceActiveFocus();
    }

    spacing: 0

    Hint {
        id: advice
        conversationState: page.talk.state
        backendState: page.backend.backendState
        backendMessage: page.backend.backendMessage
        hasMicrophone: page.microphone.available
        handsFree: statusBar.handsFree
        wakeWord: page.backend.wakeWord
    }
    StatusBar {
        id: statusBar
        Layout.fillWidth: true
        backendState: page.backend.backendState
        microphone: {
            const names = page.microphone.inputDevices;
            if (!page.microphone.available)
                return "";
            if (page.settings.inputDevice !== "")
                return page.settings.inputDevice;
            return names.length === 1 ? names[0] : qsTr("Microphone");
        }
        handsFree: page.settings.wakeWordEnabled && page.backend.canListen && page.backend.listening
        version: Qt.application.version
        onSettingsRequested: page.settingsRequested()
    }
    Item {
        implicitHeight: page.bannerHeight
        visible: page.bannerHeight > 0
    }
    RowLayout {
        Layout.fillWidth: true
        Layout.fillHeight: true
        Layout.leftMargin: Theme.margin
        Layout.bottomMargin: Theme.spacing
        spacing: Theme.margin

        ColumnLayout {
            spacing: Theme.spacing

            TranscriptionView {
                id: transcription
                objectName: "transcription"
                Layout.fillWidth: true
                Layout.fillHeight: true
                visible: !cardPage.visible
                partialText: page.talk.partialText
                finalText: {
                    const silent = page.talk.state === Conversation.NothingHeard;
                    return silent || page.history.count === 0 ? "" : page.talk.finalText;
                }
                answer: page.talk.answer
                earcon: page.talk.earcon
                hint: advice.text
                busy: page.talk.awaitingFinal
                history: page.history
                historyShown: !visualization.visible
                examples: page.backend.isConnected ? page.examples : []
                onAnswerTapped: page.talk.hush()
            }
            CardPage {
                id: cardPage
                objectName: "cardPage"
                Layout.fillWidth: true
                Layout.fillHeight: true
                visible: card.state !== CommandCard.None
                card: page.talk.card
                partialText: page.talk.partialText
                finalText: page.talk.finalText
                busy: page.talk.awaitingFinal
                history: page.history
                historyShown: !visualization.visible
                onTapped: page.talk.hush()
                onUndone: page.talk.undo()
                onConfirmed: isYes => page.talk.confirm(isYes)
                onChosen: index => page.talk.choose(index)
            }
            WaveformVisualization {
                id: visualization
                objectName: "waveform"
                Layout.fillWidth: true
                level: page.talk.level
                running: page.microphone.capturing || page.talk.state === Conversation.HandsFree
                // From the touch, or the wake word, to the text, in place of the history.
                visible: page.talk.pushToTalk || page.talk.handsFreeTurn
            }
        }
        MicrophoneButton {
            id: talkButton
            objectName: "talkButton"
            Layout.fillHeight: true
            conversationState: page.talk.state
            level: page.talk.level
            focus: true
            reason: {
                if (page.talk.canTalk)
                    return "";
                return page.backend.isConnected ? qsTr("No microphone") : statusBar.backendText;
            }
            reasonSymbol: page.backend.backendState === NetworkManager.Starting ? "hourglass" : "microphone-off"
            onBegin: page.talk.press()
            onLetGo: page.talk.release()
            onTapped: page.talk.toggle()
            onCancelled: page.talk.cancel()
            onDismissed: page.talk.dismissError()
        }
    }
}
