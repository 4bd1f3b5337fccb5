import QtQuick
import VoiceAssistant

/// Shows the last seconds of the microphone as a waveform, and its present loudness as a bar.
Item {
    id: visualization

    /// Loudness, 0 to 1.
    required property real level
    /// Whether the microphone records; the waveform moves meanwhile.
    required property bool running

    readonly property alias waveform: waveform
    readonly property real shownLevel: Math.min(Math.max(level, 0), 1)

    onRunningChanged: if (running)
        waveform.clear()

    implicitHeight: Theme.px(150)

    Accessible.role: Accessible.Indicator
    Accessible.name: qsTr("Volume")

    WaveformItem {
        id: waveform
        objectName: "waveform"
        anchors {
            left: parent.left
            right: meter.left
            rightMargin: Theme.margin
            top: parent.top
            bottom: parent.bottom
        }
        color: visualization.running ? Theme.accent : Theme.outline
        seconds: 4
        running: visualization.running
    }

    Rectangle {
        id: meter
        objectName: "meter"
        anchors {
            right: parent.right
            top: parent.top
            bottom: parent.bottom
        }
        width: Theme.px(18)
        radius: width / 2
        color: Theme.surface

        Rectangle {
            objectName: "volume"
            anchors {
                left: parent.left
                right: parent.right
                bottom: parent.bottom
            }
            // From a circle to the full height.
            height: Math.round(meter.width + visualization.shownLevel * (meter.height - meter.width))
            visible: visualization.level > 0
            radius: width / 2
            color: visualization.running ? Theme.accent : Theme.outline

            Behavior on height {
                SmoothedAnimation {
                    velocity: -1
                    duration: 100
                }
            }
        }
    }
}
