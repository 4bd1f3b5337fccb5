import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "CardView"
    when: windowShown
    width: 524
    height: 389
    visible: true

    Inspector {
        id: inspector
    }
    Cards {
        id: cards
    }
    CommandCard {
        id: command
    }
    TranscriptionModel {
        id: entries
    }
    CardPage {
        id: page
        anchors.fill: parent
        card: command
        partialText: ""
        finalText: "call anna"
        busy: false
        history: entries
    }
    SignalSpy {
        id: tapped
        target: page
        signalName: "tapped"
    }
    SignalSpy {
        id: undone
        target: page
        signalName: "undone"
    }
    SignalSpy {
        id: confirmed
        target: page
        signalName: "confirmed"
    }
    SignalSpy {
        id: chosen
        target: page
        signalName: "chosen"
    }

    function init() {
        Theme.night = true;
        page.busy = false;
        page.partialText = "";
        for (const spy of [tapped, undone, confirmed, chosen])
            spy.clear();
    }
    function show(name: string) {
        cards.tell(backend, command, name, "en");
        waitForRendering(page);
    }
    function part(name: string): Item {
        return inspector.find(page, name);
    }
    function shown(name: string): string {
        const item = part(name);
        return item && item.visible ? item.text : "";
    }
    /// The texts of the buttons that can be seen.
    function buttons(): var {
        return inspector.targets(page).map(button => button.text);
    }

    function test_looks_data() {
        const look = (tag, title, before, value, sentence, word, symbol, buttons) => ({
                    "tag": tag,
                    "title": title,
                    "before": before,
                    "value": value,
                    "sentence": sentence,
                    "word": word,
                    "symbol": symbol,
                    "buttons": buttons
                });
        const choices = ["Anna Smith", "Anna Jones", "Anna Featherstonehaugh"];
        return [look("doing", "Temperature", "", "", "", "One moment", "hourglass", []),
            look("done", "Temperature", "19 °C", "21 °C", "", "Done", "ready", ["Undo"]),
            look("undone", "Temperature", "21 °C", "19 °C", "", "Taken back", "undo", []),
            look("told", "Call", "", "", "I am passing the call to Anna Smith on to the phone.", "", "", []),
            look("refused", "Trunk", "", "", "I cannot open the trunk while the car is moving.", "Not done", "cross", []),
            look("timedOut", "Window, rear left", "", "", "The car did not answer in time, and may still do it.", "No answer from the car", "hourglass", []),
            look("which", "Call", "", "Which one?", "", "Ten seconds to answer", "question", choices),
            look("sure", "Window, rear left", "", "", "Did you mean: open the rear left window?", "Ten seconds to answer", "question", ["Yes", "No"]),
            look("meant", "Not understood", "", "", "Did you mean: turn on the seat heating?", "Ten seconds to answer", "question", ["Yes", "No"])];
    }
    function test_looks(row: var) {
        show(row.tag);
        for (const name of ["title", "before", "value", "sentence"])
            compare(shown(name), row[name], name);
        const line = part("state");
        compare(line.visible, row.word !== "");
        compare(line.word, row.word);
        if (row.word !== "")
            compare(line.symbol, row.symbol);
        compare(part("arrow").visible, row.before !== "");
        compare(buttons(), row.buttons);
        verify(part("area").path !== "", "an icon that is drawn");
    }
    function test_whatHeldBeforeGivesWay() {
        show("long");
        compare(shown("value"), "-66 – -33 %");
        compare(shown("before"), "-100 – -66 %");
        page.anchors.rightMargin = 150;
        tryVerify(() => shown("before") === "" && !part("arrow").visible);
        compare(shown("value"), "-66 – -33 %");
        page.anchors.rightMargin = 0;
    }
    function test_everyCommandHasAnIcon() {
        for (const name of ["climate", "window", "lock", "light", "seat", "media", "phone", "navigation", "wiper", "mirror", "drive", "question", "undo", "sound"])
            verify(part("area").paths[name], name);
    }
    function test_stateIsNeverColourAlone() {
        const words = new Set();
        for (const name of ["doing", "done", "undone", "refused", "timedOut", "which"]) {
            show(name);
            words.add(part("state").word);
        }
        compare(words.size, 6);
    }
    function test_whatWasHeardStandsAbove() {
        show("done");
        compare(shown("text"), "call anna");
        page.partialText = "open the";
        compare(shown("text"), "open the");
    }
    function test_undo() {
        show("done");
        mouseClick(part("undo"));
        compare(undone.count, 1);
        compare(confirmed.count, 0);
    }
    function test_aTapBesideTheButtonsIsTold() {
        show("done");
        mouseClick(part("area"));
        compare(tapped.count, 1);
        mouseClick(part("undo"));
        compare(tapped.count, 1);
    }
    function test_yesAndNo() {
        show("sure");
        mouseClick(part("yes"));
        compare(confirmed.signalArguments[0][0], true);
        mouseClick(part("no"));
        compare(confirmed.signalArguments[1][0], false);
    }
    function test_choices() {
        show("which");
        const second = inspector.targets(page)[1];
        compare(second.text, "Anna Jones");
        mouseClick(second);
        compare(chosen.signalArguments[0][0], 1);
    }
    function test_nothingIsTappedWhileSomebodySpeaks() {
        for (const name of ["done", "which", "sure"]) {
            show(name);
            page.busy = true;
            compare(buttons(), []);
            page.busy = false;
        }
    }
    function test_textIsNeverMarkup() {
        show("refused");
        for (const name of ["text", "title", "value", "sentence"])
            compare(part(name).textFormat, Text.PlainText, name);
    }
    function test_mirrored() {
        show("done");
        const heading = part("heading");
        const icon = part("area");
        verify(icon.mapToItem(heading, 0, 0).x < heading.width / 4);
        page.LayoutMirroring.enabled = true;
        page.LayoutMirroring.childrenInherit = true;
        tryVerify(() => icon.mapToItem(heading, 0, 0).x > heading.width * 3 / 4);
        verify(part("arrow").mirrored);
        verify(part("undo").mapToItem(page, 0, 0).x < page.width / 2);
        page.LayoutMirroring.enabled = false;
    }
}
