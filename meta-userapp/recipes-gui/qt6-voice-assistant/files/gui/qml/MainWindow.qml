import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import VoiceAssistant

/// The screen: puts the parts together, and nothing else.
ApplicationWindow {
    id: window

    /// In place of the stored one, until another is entered.
    property string backendUrl
    property int eventsPort: 5802
    /// A WAV file in place of a microphone.
    property string sourceFile
    /// Where the history is kept; empty: nowhere.
    property string historyFile
    /// Of the device's image; empty where there is none.
    property string systemVersion
    property bool fullScreen: false
    /// Degrees by which the picture is turned clockwise, a multiple of 90; "auto": so that it is wider than high.
    property string turned
    /// Tells on the log what the screen shows, for tests and measurements.
    property bool reporting: false

    readonly property int degrees: {
        if (turned === "auto")
            return width < height ? 90 : 0;
        return Number(turned) % 90 === 0 ? Number(turned) : 0;
    }
    readonly property bool sideways: degrees % 180 !== 0

    readonly property bool backendReady: backend.backendState === NetworkManager.Ready
    readonly property bool backendStarting: backend.backendState === NetworkManager.Starting
    readonly property bool backendLost: backend.backendState === NetworkManager.Lost
    readonly property bool backendGone: backendLost || backend.backendState === NetworkManager.Failed
    /// What the banner is about; the settings leave the backend out, as that is where it can be mended.
    readonly property string trouble: {
        if (backendGone && !settingsPanel.visible)
            return "backend";
        if (conversation.error !== "")
            return "conversation";
        return notice === "" ? "" : "notice";
    }
    /// A complaint about settings or history.
    property string notice
    /// The stored model that the backend was asked for.
    property string askedModel

    /// The backend starts with a model of its own.
    function useStoredModel() {
        const wanted = stored.modelName;
        if (wanted === askedModel || wanted === backend.modelName || ![...backend.models].includes(wanted))
            return;
        askedModel = wanted;
        backend.loadModel(wanted);
    }

    readonly property string hint: {
        switch (conversation.state) {
        case Conversation.Held:
        case Conversation.Tapped:
        case Conversation.HandsFree:
            return qsTr("Speak now.");
        case Conversation.Sent:
        case Conversation.HandsFreeSent:
            return qsTr("One moment …");
        }
        if (backendStarting)
            return backend.backendMessage;
        if (!backendReady)
            return "";
        if (conversation.state === Conversation.NothingHeard)
            return qsTr("Nothing was heard. Say it again.");
        if (!microphone.available)
            return statusBar.handsFree ? qsTr("Say the wake word, then speak.") : qsTr("Connect a microphone.");
        if (statusBar.handsFree)
            return qsTr("Hold the button and speak, or say the wake word.");
        return qsTr("Hold the button and speak.");
    }

    // A display without a window manager gives a window the size that it asks for.
    width: fullScreen ? Screen.width : 800
    height: fullScreen ? Screen.height : 480
    minimumWidth: sideways ? 384 : 640
    minimumHeight: sideways ? 640 : 384
    visible: true
    visibility: fullScreen ? Window.FullScreen : Window.Windowed
    title: qsTr("Voice assistant")
    color: Theme.background

    Binding {
        target: Theme
        property: "night"
        value: stored.nightTheme
    }
    Binding {
        target: Theme
        property: "height"
        value: page.height
    }
    SettingsManager {
        id: stored
        onUiLanguageChanged: Qt.uiLanguage = uiLanguage
        onInvalid: message => window.notice = message
        onStorageFailed: message => window.notice = message
        Component.onCompleted: Qt.uiLanguage = uiLanguage
    }
    AudioEngine {
        id: microphone
        inputDevice: stored.inputDevice
        sourceFile: window.sourceFile
        onPeaksReady: peaks => waveform.waveform.addPeaks(peaks)
    }
    NetworkManager {
        id: backend
        backendUrl: window.backendUrl === "" ? stored.backendUrl : window.backendUrl
        apiKey: stored.apiKey
        eventsPort: window.eventsPort
        active: true
        onModelInfoChanged: window.useStoredModel()
        onBackendStateChanged: if (backendState === NetworkManager.Lost)
            window.askedModel = ""
    }
    TranscriptionModel {
        id: transcriptions
        storagePath: window.historyFile
        onStorageFailed: message => window.notice = message
    }
    Conversation {
        id: conversation
        audio: microphone
        network: backend
        history: transcriptions
        language: stored.language
        handsFree: stored.wakeWordEnabled
    }
    Report {
        active: window.reporting
        moving: microphone.capturing
        network: backend
        talk: conversation
        history: transcriptions
        screen: window
    }

    // Turned here, and not by the platform: neither eglfs nor vnc can turn Qt Quick's picture, and where the scene is
    // turned, a finger meets what it points at without any calibration of the touch screen.
    Item {
        id: page
        objectName: "page"
        anchors.centerIn: parent
        width: window.sideways ? parent.height : parent.width
        height: window.sideways ? parent.width : parent.height
        rotation: window.degrees
        LayoutMirroring.enabled: Application.layoutDirection === Qt.RightToLeft
        LayoutMirroring.childrenInherit: true

        ColumnLayout {
            anchors.fill: parent
            spacing: 0
            visible: !settingsPanel.visible

            StatusBar {
                id: statusBar
                Layout.fillWidth: true
                backendState: backend.backendState
                microphone: {
                    if (!microphone.available)
                        return "";
                    if (stored.inputDevice !== "")
                        return stored.inputDevice;
                    return microphone.inputDevices.length === 1 ? microphone.inputDevices[0] : qsTr("Microphone");
                }
                handsFree: stored.wakeWordEnabled && backend.canListen && backend.listening
                version: Qt.application.version
                onSettingsRequested: {
                    settingsPanel.visible = true;
                    settingsPanel.forceActiveFocus();
                }
            }
            Item {
                implicitHeight: banner.height + Theme.spacing
                visible: banner.visible
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
                        objectName: "transcription"
                        Layout.fillWidth: true
                        Layout.fillHeight: true
                        partialText: conversation.partialText
                        finalText: {
                            const silent = conversation.state === Conversation.NothingHeard;
                            return silent || transcriptions.count === 0 ? "" : conversation.finalText;
                        }
                        hint: window.hint
                        busy: conversation.awaitingFinal
                        history: transcriptions
                        historyShown: !waveform.visible
                    }
                    WaveformVisualization {
                        id: waveform
                        objectName: "waveform"
                        Layout.fillWidth: true
                        level: microphone.level
                        running: microphone.capturing
                        visible: conversation.pushToTalk
                    }
                }
                MicrophoneButton {
                    id: talkButton
                    objectName: "talkButton"
                    Layout.fillHeight: true
                    conversationState: conversation.state
                    level: microphone.level
                    focus: true
                    reason: {
                        if (conversation.canTalk)
                            return "";
                        return window.backendReady ? qsTr("No microphone") : statusBar.backendText;
                    }
                    reasonSymbol: window.backendStarting ? "hourglass" : "microphone-off"
                    onBegin: conversation.press()
                    onLetGo: conversation.release()
                    onTapped: conversation.toggle()
                    onDismissed: conversation.dismissError()
                }
            }
        }

        SettingsPanel {
            id: settingsPanel
            objectName: "settingsPanel"
            anchors.fill: parent
            visible: false
            settings: stored
            languages: backend.languages
            models: backend.models
            modelName: backend.modelName
            modelIsSmall: backend.modelIsSmall
            backendUrl: backend.backendUrl
            canListen: backend.canListen
            inputDevices: microphone.inputDevices
            system: window.systemVersion === "" ? "" : qsTr("System %1").arg(window.systemVersion)
            version: qsTr("Screen %1, backend %2").arg(Qt.application.version).arg(backend.backendVersion || "–")
            onModelChosen: name => {
                window.askedModel = "";
                stored.modelName = name;
                window.useStoredModel();
            }
            onBackendUrlChosen: url => {
                window.backendUrl = "";
                stored.backendUrl = url;
            }
            onHistoryCleared: transcriptions.clearHistory()
            onClosed: {
                visible = false;
                talkButton.forceActiveFocus();
            }
        }

        // Under the status bar; over the settings, at their end.
        ErrorBanner {
            id: banner
            objectName: "errorBanner"
            anchors {
                left: parent.left
                right: parent.right
                margins: Theme.spacing
            }
            y: settingsPanel.visible ? parent.height - height - Theme.spacing : statusBar.height
            visible: window.trouble !== ""
            message: {
                if (window.trouble === "backend")
                    return backend.backendMessage;
                return window.trouble === "conversation" ? conversation.error : window.notice;
            }
            wayOut: {
                if (window.trouble === "conversation")
                    return conversation.wayOut;
                // The others name it themselves.
                const lost = window.trouble === "backend" && window.backendLost;
                return lost ? qsTr("It comes back by itself. Your history is kept.") : "";
            }
            action: window.trouble === "backend" ? qsTr("Try now") : qsTr("OK")
            onActed: {
                conversation.dismissError();
                window.notice = "";
                if (window.trouble === "backend")
                    backend.checkHealth();
            }
        }
    }
}
