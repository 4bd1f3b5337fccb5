import QtQuick
import QtQuick.Controls.Basic
import VoiceAssistant

/// The screen: puts the parts together, and nothing else.
ApplicationWindow {
    id: window

    /// Address to use in place of the stored one, until another is entered.
    property string backendUrl
    property int eventsPort: 5802
    /// A WAV file in place of a microphone.
    property string sourceFile
    /// Where the history is kept; empty: nowhere.
    property string historyFile
    /// Version of the device's image; empty where there is none.
    property string systemVersion
    property bool fullScreen: false
    /// Degrees by which the picture is turned clockwise, a multiple of 90; "auto": so that it is wider than high.
    property string turned
    /// Whether to log what the screen shows, for tests and measurements.
    property bool reporting: false
    /// A complaint about settings or history.
    property alias notice: trouble.notice

    // A display without a window manager gives a window the size that it asks for.
    width: fullScreen ? Screen.width : 800
    height: fullScreen ? Screen.height : 480
    minimumWidth: page.minimumSize.width
    minimumHeight: page.minimumSize.height
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
        onInvalid: message => trouble.notice = message
        onStorageFailed: message => trouble.notice = message
        Component.onCompleted: Qt.uiLanguage = uiLanguage
    }
    AudioEngine {
        id: audioEngine
        inputDevice: stored.inputDevice
        sourceFile: window.sourceFile
        onPeaksReady: peaks => talkPage.waveform.addPeaks(peaks)
    }
    NetworkManager {
        id: networkManager
        backendUrl: window.backendUrl || stored.backendUrl
        apiKey: stored.apiKey
        eventsPort: window.eventsPort
        active: true
    }
    TranscriptionModel {
        id: transcriptions
        storagePath: window.historyFile
        onStorageFailed: message => trouble.notice = message
    }
    Conversation {
        id: conversation
        audio: audioEngine
        network: networkManager
        history: transcriptions
        language: stored.language
        handsFree: stored.wakeWordEnabled
        onHandsFreePeaks: peaks => talkPage.waveform.addPeaks(peaks)
        onCalled: settingsPanel.close()
    }
    Suggestions {
        id: suggestions
        network: networkManager
        language: stored.language
        running: talkPage.examplesShown
    }
    ModelChoice {
        id: modelChoice
        settings: stored
        backend: networkManager
    }
    Trouble {
        id: trouble
        backendState: networkManager.backendState
        backendMessage: networkManager.backendMessage
        error: conversation.error
        errorWayOut: conversation.wayOut
        settingsShown: settingsPanel.visible
        onDismissed: conversation.dismissError()
        onCheckRequested: networkManager.checkHealth()
    }
    Report {
        active: window.reporting
        moving: audioEngine.capturing || conversation.handsFreeTurn
        network: networkManager
        talk: conversation
        history: transcriptions
        screen: window
    }

    TurnedPage {
        id: page
        objectName: "page"
        turned: window.turned

        TalkPage {
            id: talkPage
            objectName: "talkPage"
            anchors.fill: parent
            visible: !settingsPanel.visible
            settings: stored
            microphone: audioEngine
            backend: networkManager
            talk: conversation
            history: transcriptions
            examples: suggestions.shown
            bannerHeight: banner.visible ? banner.height + Theme.spacing : 0
            onSettingsRequested: settingsPanel.open()
        }
        SettingsPanel {
            id: settingsPanel
            objectName: "settingsPanel"
            anchors.fill: parent
            visible: false
            settings: stored
            languages: networkManager.languages
            models: networkManager.models
            modelName: networkManager.modelName
            modelIsSmall: networkManager.modelIsSmall
            backendUrl: networkManager.backendUrl
            canListen: networkManager.canListen
            inputDevices: audioEngine.inputDevices
            systemVersion: window.systemVersion
            backendVersion: networkManager.backendVersion
            onModelChosen: name => modelChoice.choose(name)
            onBackendUrlChosen: url => {
                window.backendUrl = "";
                stored.backendUrl = url;
            }
            onHistoryCleared: transcriptions.clearHistory()
            onClosed: talkPage.focusButton()
        }
        // Over every page: somebody is listened to.
        Rectangle {
            objectName: "listeningBorder"
            anchors.fill: parent
            z: 1
            visible: talkPage.listening
            color: "transparent"
            border.width: Theme.px(6)
            border.color: Theme.accent
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
            y: settingsPanel.visible ? parent.height - height - Theme.spacing : talkPage.statusBar.height
            visible: trouble.kind !== Trouble.None
            message: trouble.message
            wayOut: trouble.wayOut
            action: trouble.action
            onActed: trouble.act()
        }
    }
}
