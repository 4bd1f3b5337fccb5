import QtQuick
import VoiceAssistant

/// Has the backend load the model that the driver chose: the backend starts with one of its own.
Item {
    id: choice

    required property SettingsManager settings
    required property NetworkManager backend
    /// The chosen model that the backend was asked for; it is asked once, and again when it was lost.
    property string asked

    /// Store a choice, and ask for it even if the backend refused it before.
    function choose(name: string) {
        asked = "";
        settings.modelName = name;
        load();
    }
    function load() {
        const wanted = settings.modelName;
        if (wanted === asked || wanted === backend.modelName || ![...backend.models].includes(wanted))
            return;
        asked = wanted;
        backend.loadModel(wanted);
    }

    Connections {
        target: choice.backend
        function onModelInfoChanged() {
            choice.load();
        }
        function onBackendStateChanged() {
            if (choice.backend.backendState === NetworkManager.Lost)
                choice.asked = "";
        }
    }
}
