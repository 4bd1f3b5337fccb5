import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "WaveformVisualization"
    when: windowShown
    width: 400
    height: 150
    visible: true

    Inspector {
        id: inspector
    }
    WaveformVisualization {
        id: visualization
        anchors.fill: parent
        level: 0
        running: false
    }

    function volume(): Item {
        return inspector.find(visualization, "volume");
    }

    /// Pixels of the waveform, far from the middle, where it rests.
    function lit(): int {
        const image = grabImage(visualization.waveform);
        let count = 0;
        for (let x = 0; x < image.width; ++x)
            count += Qt.colorEqual(image.pixel(x, 20), Theme.accent) ? 1 : 0;
        return count;
    }

    function test_meterFollowsTheLevel() {
        const meter = inspector.find(visualization, "meter");
        visualization.level = 0;
        verify(!volume().visible);
        visualization.level = 0.5;
        verify(volume().visible);
        tryVerify(() => Math.abs(volume().height - (meter.height + meter.width) / 2) <= 1);
        visualization.level = 1;
        tryCompare(volume(), "height", meter.height);
        visualization.level = 7;
        wait(200);
        compare(volume().height, meter.height, "never out of its frame");
    }
    function test_waveformMovesWhileRunning() {
        compare(lit(), 0);
        visualization.running = true;
        visualization.waveform.addPeaks(Array(100).fill(1));
        tryVerify(() => lit() > 10);
        visualization.running = false;
        visualization.waveform.clear();
        tryVerify(() => lit() === 0);
    }
    function test_eachRecordingBeginsEmpty() {
        visualization.running = true;
        visualization.waveform.addPeaks(Array(100).fill(1));
        visualization.running = false;
        visualization.running = true;
        compare(lit(), 0);
        visualization.running = false;
    }
    function test_standsStillInGrey() {
        compare(visualization.waveform.color, Theme.outline);
        visualization.running = true;
        compare(visualization.waveform.color, Theme.accent);
        visualization.running = false;
    }
}
