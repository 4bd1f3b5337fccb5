import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "AnswerLine"
    when: windowShown
    width: 400
    height: 200
    visible: true

    Inspector {
        id: inspector
    }
    AnswerLine {
        id: line
        width: 400
        answer: "The window is open."
        earcon: "done"
    }

    SignalSpy {
        id: tapped
        target: line
        signalName: "tapped"
    }

    function cleanup() {
        Theme.night = true;
        line.answer = "The window is open.";
    }
    function test_eachHasItsShapeAndColour() {
        for (const night of [true, false]) {
            Theme.night = night;
            const shapes = new Set();
            const colours = new Set();
            for (const earcon of ["done", "failed", "question", "heard"]) {
                line.earcon = earcon;
                const symbol = inspector.find(line, "symbol");
                verify(symbol.path !== "", earcon);
                shapes.add(symbol.path);
                colours.add(symbol.color.toString());
            }
            compare(shapes.size, 4);
            compare(colours.size, 4);
        }
    }
    function test_unknownIsNeitherDoneNorFailed() {
        line.earcon = "heard";
        const symbol = line.symbol;
        line.earcon = "from the future";
        compare(line.symbol, symbol);
    }
    function test_aTapIsTold() {
        tapped.clear();
        mouseClick(inspector.find(line, "text"));
        mouseClick(inspector.find(line, "symbol"));
        compare(tapped.count, 2);
    }
    function test_textIsNeverMarkup() {
        line.answer = "<b>a</b> & b";
        compare(inspector.find(line, "text").textFormat, Text.PlainText);
    }
    function test_longAnswersWrap() {
        const before = line.implicitHeight;
        line.answer = "The rear left window is 30 percent open. ".repeat(2);
        tryVerify(() => line.implicitHeight > before);
        verify(inspector.find(line, "text").lineCount > 1);
    }
}
