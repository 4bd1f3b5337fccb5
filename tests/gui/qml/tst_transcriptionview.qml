import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "TranscriptionView"
    when: windowShown
    width: 600
    height: 400
    visible: true

    Inspector {
        id: inspector
    }
    SignalSpy {
        id: tapped
        signalName: "answerTapped"
    }
    Component {
        id: historyComponent
        TranscriptionModel {}
    }
    Component {
        id: component
        TranscriptionView {
            anchors.fill: parent
            partialText: ""
            finalText: ""
            answer: ""
            earcon: ""
            hint: "Hold the button and speak."
            busy: false
        }
    }

    function make(properties: var): TranscriptionView {
        const history = createTemporaryObject(historyComponent, test);
        return createTemporaryObject(component, test, Object.assign({
            "history": history
        }, properties));
    }
    function large(view: TranscriptionView): Text {
        return inspector.find(inspector.find(view, "newest"), "text");
    }

    function test_hintComesFirst() {
        const view = make({});
        compare(large(view).text, "Hold the button and speak.");
        compare(large(view).color, Theme.textDim);
    }
    function test_partialIsGreyAndFinalIsBright() {
        const view = make({
            "busy": true,
            "partialText": "navigate"
        });
        compare(large(view).text, "navigate");
        compare(large(view).color, Theme.textDim);
        verify(large(view).font.pixelSize >= 34);
        view.partialText = "";
        view.busy = false;
        view.finalText = "navigate home";
        compare(large(view).text, "navigate home");
        compare(large(view).color, Theme.text);
    }
    function test_newSpeechHidesTheOldFinal() {
        const view = make({
            "finalText": "navigate home"
        });
        view.busy = true;
        view.hint = "Speak now.";
        compare(large(view).text, "Speak now.");
    }
    function test_textIsNeverMarkup() {
        const view = make({
            "finalText": "<b>a</b> & b"
        });
        compare(large(view).textFormat, Text.PlainText);
        compare(large(view).lineCount, 1);
    }
    function test_longPartialShowsItsEndAndLongFinalItsBeginning() {
        const text = "one two three four five ".repeat(20);
        const view = make({
            "busy": true,
            "partialText": text
        });
        const newest = inspector.find(view, "newest");
        tryVerify(() => newest.contentHeight > newest.height);
        compare(newest.contentY, newest.contentHeight - newest.height);
        view.partialText = "";
        view.busy = false;
        view.finalText = text;
        compare(newest.contentY, 0);
    }
    function test_historyTellsTimeLanguageAndLatency() {
        const view = make({});
        view.history.addTranscription("navigate home", new Date(2026, 0, 2, 14, 5), "en", 0.31);
        view.history.addTranscription("fenster auf", new Date(2026, 0, 2, 14, 6), "de", 0);
        const list = inspector.find(view, "history");
        tryCompare(list, "count", 2);
        tryVerify(() => list.itemAtIndex(1) !== null);
        const shown = index => {
            const entry = list.itemAtIndex(index);
            const parts = ["time", "text", "language", "latency"].map(name => inspector.find(entry, name));
            return parts.filter(part => part.visible).map(part => part.text);
        };
        compare(shown(0), ["14:06", "fenster auf", "DE"]);
        compare(shown(1), ["14:05", "navigate home", "EN", "0.3 s"]);
    }
    function test_historyTellsAnswers() {
        const view = make({});
        view.history.addTranscription("open the trunk", new Date(), "en", 0.3, "f3a9-1");
        view.history.addTranscription("good morning", new Date(), "en", 0.3, "f3a9-2");
        view.history.addAnswer("f3a9-1", "The car is moving.", "failed");
        const list = inspector.find(view, "history");
        tryVerify(() => list.itemAtIndex(1) !== null);
        const answer = inspector.find(list.itemAtIndex(1), "answer");
        verify(answer.visible);
        compare(inspector.find(answer, "text").text, "The car is moving.");
        compare(answer.symbol, "cross");
        verify(!inspector.find(list.itemAtIndex(0), "answer").visible);
    }
    function test_answerStandsUnderTheFinal_data() {
        return ["done", "failed", "question", "heard"].map(earcon => ({
            "tag": earcon,
            "earcon": earcon
        }));
    }
    function test_answerStandsUnderTheFinal(row: var) {
        const view = make({
            "finalText": "open the window"
        });
        const reply = inspector.find(view, "reply");
        verify(!reply.visible);
        for (const historyShown of [true, false]) {
            view.historyShown = historyShown;
            view.answer = "The window is open.";
            view.earcon = row.earcon;
            verify(reply.visible);
            compare(inspector.find(reply, "text").text, "The window is open.");
            waitForRendering(view);
            const newest = inspector.find(view, "newest");
            compare(reply.y, newest.y + newest.height + Theme.spacing, "right under it");
            verify(newest.height < view.height / 2);
            verify(reply.y + reply.height <= view.height);
            const list = inspector.find(view, "history");
            verify(!list.visible || list.y >= reply.y + reply.height);
            view.answer = view.earcon = "";
            verify(!reply.visible);
        }
    }
    function test_aTapOnTheAnswerIsTold() {
        const view = make({
            "finalText": "open the window",
            "answer": "The window is open.",
            "earcon": "done"
        });
        waitForRendering(view);
        tapped.target = view;
        tapped.clear();
        mouseClick(inspector.find(view, "reply"));
        compare(tapped.count, 1);
    }
    function test_examplesInPlaceOfTheHistoryWhereThereIsNoText() {
        const view = make({});
        const examples = inspector.find(view, "youCanSay");
        const list = inspector.find(view, "history");
        verify(!examples.visible, "nobody knows any");
        verify(list.visible);
        view.examples = ["open the window", "<b>louder</b>", "lock the doors"];
        verify(examples.visible);
        verify(!list.visible);
        const shown = inspector.texts(examples).map(text => text.text);
        compare(shown, ["You can say", "“open the window”", "“<b>louder</b>”", "“lock the doors”"]);
        verify(inspector.texts(examples).every(text => text.objectName === "title" || text.textFormat === Text.PlainText));
        view.busy = true;
        verify(!examples.visible);
        view.busy = false;
        view.finalText = "open the window";
        verify(!examples.visible);
        verify(list.visible);
    }
    function test_asManyExamplesAsThereIsRoomFor() {
        const view = make({
            "examples": ["open the window", "louder", "lock the doors"]
        });
        const examples = inspector.find(view, "youCanSay");
        compare(examples.count >= 3, true);
        examples.room = 120;
        compare(inspector.texts(examples).length, 2);
        examples.room = 20;
        compare(inspector.texts(examples).length, 0);
    }
    function test_noAnswerStaysWhileSomebodySpeaks() {
        const view = make({
            "finalText": "call Anna",
            "answer": "There is no Anna.",
            "earcon": "failed"
        });
        const reply = inspector.find(view, "reply");
        verify(reply.visible);
        view.busy = true;
        verify(!reply.visible);
    }
    function test_historyIsCutBetweenItsEntries() {
        const view = make({});
        for (let i = 0; i < 12; ++i)
            view.history.addTranscription(`number ${i}`, new Date(), "en", 0.3);
        const list = inspector.find(view, "history");
        tryVerify(() => list.itemAtIndex(0) !== null);
        waitForRendering(view);
        let hidden = 0;
        for (let i = 0; list.itemAtIndex(i); ++i) {
            const entry = list.itemAtIndex(i);
            const isWhole = entry.y + entry.height <= list.height + 1;
            compare(entry.opacity, isWhole ? 1 : 0, `${i}`);
            hidden += isWhole ? 0 : 1;
        }
        verify(hidden > 0);
    }
    function test_newestIsNotSaidTwice() {
        const view = make({});
        view.history.addTranscription("navigate home", new Date(), "en", 0.3, "f3a9-1");
        view.history.addAnswer("f3a9-1", "The route leads home.", "done");
        view.finalText = "navigate home";
        const list = inspector.find(view, "history");
        tryVerify(() => list.itemAtIndex(0) !== null);
        const text = inspector.find(list.itemAtIndex(0), "text");
        const answer = inspector.find(list.itemAtIndex(0), "answer");
        verify(!text.visible);
        verify(!answer.visible);
        view.finalText = "";
        verify(text.visible);
        verify(answer.visible);
    }
    function test_historyMakesRoom() {
        const view = make({});
        view.historyShown = false;
        verify(!inspector.find(view, "history").visible);
        compare(inspector.find(view, "newest").height, view.height);
    }
    function test_historyStaysAtItsNewest() {
        const view = make({});
        for (let i = 0; i < 40; ++i)
            view.history.addTranscription(`number ${i}`, new Date(), "en", 0.3);
        const list = inspector.find(view, "history");
        tryCompare(list, "count", 40);
        tryVerify(() => list.atYBeginning);
        tryVerify(() => list.itemAtIndex(0) !== null);
        compare(list.itemAtIndex(0).text, "number 39");
        const place = list.itemAtIndex(0).mapToItem(list, 0, 0);
        compare(place.y, 0);
    }
}
