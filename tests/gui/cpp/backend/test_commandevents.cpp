#include "backend/commandevents.h"

#include <QJsonDocument>
#include <QTest>

namespace {

QJsonObject json(const char *text)
{
    const QJsonObject object = QJsonDocument::fromJson(text).object();
    Q_ASSERT(!object.isEmpty());
    return object;
}

} // namespace

class TestCommandEvents : public QObject
{
    Q_OBJECT

private slots:
    void aCommand();
    void aQuestion();
    void anAction();
    void aRefusal();
    void nonsenseIsNothing();
};

void TestCommandEvents::aCommand()
{
    const Understood understood = Understood::of(json(R"({
        "type": "intent", "utterance_id": "f3a9-1", "language": "en", "question": null, "alternatives": [],
        "intent": {"name": "OpenWindow", "slots": [
            {"name": "position", "value": 30, "unit": "percent", "text": "30"},
            {"name": "zone", "value": "rear_left", "unit": null, "text": "rear left"}]}})"));
    QCOMPARE(understood.utterance, "f3a9-1");
    QCOMPARE(understood.language, "en");
    QCOMPARE(understood.question, "");
    QCOMPARE(understood.command.name, "OpenWindow");
    QCOMPARE(understood.command.text("zone"), "rear_left");
    QCOMPARE(understood.command.text("position"), "30");
    QCOMPARE(understood.command.text("side"), "");
}

void TestCommandEvents::aQuestion()
{
    const Understood understood =
        Understood::of(json(R"({"intent": null, "question": "which", "alternatives": [
        {"name": "CallContact", "slots": [{"name": "contact", "value": "Anna Smith"}]},
        {"name": "CallContact", "slots": [{"name": "contact", "value": "Anna Jones"}]}]})"));
    QCOMPARE(understood.command.name, "");
    QCOMPARE(understood.question, "which");
    QCOMPARE(understood.readings.size(), 2);
    QCOMPARE(understood.readings.at(1).text("contact"), "Anna Jones");
}

void TestCommandEvents::anAction()
{
    const Acted acted = Acted::of(json(R"({
        "utterance_id": "f3a9-1", "intent": "SetClimate", "outcome": "done", "reason": null, "held": [
            {"path": "A.Temperature", "value": 21, "unit": "celsius", "previous": 19.5},
            {"path": "A.IsActive", "value": true, "unit": null, "previous": null}]})"));
    QCOMPARE(acted.utterance, "f3a9-1");
    QCOMPARE(acted.command, "SetClimate");
    QCOMPARE(acted.outcome, "done");
    QCOMPARE(acted.held.at(0).value.toDouble(), 21);
    QCOMPARE(acted.held.at(0).previous.toDouble(), 19.5);
    QCOMPARE(acted.held.at(0).unit, "celsius");
    QCOMPARE(acted.held.at(1).value, QVariant(true));
    QVERIFY(!acted.held.at(1).previous.isValid());
    QCOMPARE(acted.held.at(1).unit, "");
}

void TestCommandEvents::aRefusal()
{
    const Acted acted =
        Acted::of(json(R"({"outcome": "refused", "reason": {"cause": "moving"}, "held": []})"));
    QCOMPARE(acted.cause, "moving");
    QVERIFY(acted.held.isEmpty());
}

void TestCommandEvents::nonsenseIsNothing()
{
    const Understood understood =
        Understood::of(json(R"({"intent": 1, "question": [], "alternatives": "all", "language": null})"));
    QCOMPARE(understood.command.name, "");
    QCOMPARE(understood.question, "");
    QVERIFY(understood.readings.isEmpty());
    const Acted acted = Acted::of(json(R"({"held": [7, {"value": {}}], "reason": "because"})"));
    QCOMPARE(acted.held.size(), 2);
    QVERIFY(!acted.held.at(1).value.isValid());
}

QTEST_GUILESS_MAIN(TestCommandEvents)

#include "test_commandevents.moc"
