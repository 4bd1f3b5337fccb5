import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// Shows the backend's state, the microphone and the version, with the button for the settings.
Item {
    id: bar

    /// NetworkManager.BackendState
    required property int backendState
    /// Its name; empty: there is none.
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
            return Theme.text;
        case NetworkManager.Starting:
            return Theme.textDim;
        default:
            return Theme.alert;
        }
    }

    signal settingsRequested

    implicitHeight: Theme.touchTarget + Theme.spacing

    component Fact: RowLayout {
        id: fact

        required property string symbol
        required property string text
        property color color: Theme.textDim

        spacing: Theme.px(8)
        Accessible.role: Accessible.StaticText
        Accessible.name: text

        Icon {
            name: fact.symbol
            size: Theme.px(26)
            color: fact.color
        }
        Text {
            Layout.fillWidth: true
            text: fact.text
            color: fact.color
            font.pixelSize: Theme.fontSmall
            elide: Text.ElideRight
            horizontalAlignment: Text.AlignLeft
        }
    }

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: Theme.margin
        anchors.rightMargin: Theme.spacing
        spacing: Theme.px(24)

        Fact {
            objectName: "backend"
            Layout.minimumWidth: implicitWidth
            symbol: bar.backendSymbol
            text: bar.backendText
            color: bar.backendColor
        }
        Fact {
            objectName: "microphone"
            Layout.fillWidth: true
            symbol: bar.microphone === "" ? "microphone-off" : "microphone"
            text: bar.microphone === "" ? qsTr("No microphone") : bar.microphone
        }
        Fact {
            objectName: "handsFree"
            Layout.minimumWidth: implicitWidth
            visible: bar.handsFree
            symbol: "sound"
            text: qsTr("Hands-free")
        }
        Text {
            objectName: "version"
            text: bar.version
            color: Theme.textDim
            font.pixelSize: Theme.fontSmall
        }
        TouchButton {
            objectName: "settingsButton"
            symbol: "settings"
            Accessible.name: qsTr("Settings")
            onClicked: bar.settingsRequested()
        }
    }
}
