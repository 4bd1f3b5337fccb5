import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// The backend, the microphone and the version; and the way to the settings.
Item {
    id: bar

    required property Theme theme
    /// NetworkManager.BackendState
    required property int backendState
    /// Empty: there is none.
    required property string microphone
    required property bool handsFree
    required property string version

    readonly property string backendText: {
        switch (backendState) {
        case NetworkManager.Ready:
            return qsTr("Ready");
        case NetworkManager.Starting:
            return qsTr("Starting");
        case NetworkManager.Failed:
            return qsTr("Out of order");
        default:
            return qsTr("No connection");
        }
    }
    readonly property string backendSymbol: {
        switch (backendState) {
        case NetworkManager.Ready:
            return "ready";
        case NetworkManager.Starting:
            return "hourglass";
        case NetworkManager.Failed:
            return "warning";
        default:
            return "cross";
        }
    }
    readonly property color backendColor: {
        switch (backendState) {
        case NetworkManager.Ready:
            return theme.text;
        case NetworkManager.Starting:
            return theme.textDim;
        default:
            return theme.alert;
        }
    }

    signal settingsRequested

    implicitHeight: theme.touchTarget + theme.spacing

    component Fact: RowLayout {
        id: fact

        required property Theme theme
        required property string symbol
        required property string text
        property color color: theme.textDim

        spacing: theme.px(8)
        Accessible.role: Accessible.StaticText
        Accessible.name: text

        Icon {
            name: fact.symbol
            size: fact.theme.px(26)
            color: fact.color
        }
        Text {
            Layout.fillWidth: true
            text: fact.text
            color: fact.color
            font.pixelSize: fact.theme.fontSmall
            elide: Text.ElideRight
            horizontalAlignment: Text.AlignLeft
        }
    }

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: bar.theme.margin
        anchors.rightMargin: bar.theme.spacing
        spacing: bar.theme.px(24)

        Fact {
            objectName: "backend"
            Layout.minimumWidth: implicitWidth
            theme: bar.theme
            symbol: bar.backendSymbol
            text: bar.backendText
            color: bar.backendColor
        }
        Fact {
            objectName: "microphone"
            theme: bar.theme
            Layout.fillWidth: true
            symbol: bar.microphone === "" ? "microphone-off" : "microphone"
            text: bar.microphone === "" ? qsTr("No microphone") : bar.microphone
        }
        Fact {
            objectName: "handsFree"
            Layout.minimumWidth: implicitWidth
            theme: bar.theme
            visible: bar.handsFree
            symbol: "sound"
            text: qsTr("Hands-free")
        }
        Text {
            objectName: "version"
            text: bar.version
            color: bar.theme.textDim
            font.pixelSize: bar.theme.fontSmall
        }
        TouchButton {
            objectName: "settingsButton"
            theme: bar.theme
            symbol: "settings"
            Accessible.name: qsTr("Settings")
            onClicked: bar.settingsRequested()
        }
    }
}
