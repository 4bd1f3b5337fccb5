#include "history/suggestions.h"

#include "history/commandnames.h"

#include <QLocale>

#include <algorithm>

namespace {

constexpr int IntervalMs = 8000;
constexpr qsizetype Count = 3; // read in a glance

/// Every so-manieth one, so that those that belong together do not follow each other.
QList<Example> mixed(const QList<Example> &examples)
{
    constexpr qsizetype Step = 7;
    QList<Example> all;
    for (qsizetype first = 0; first < Step; ++first) {
        for (qsizetype i = first; i < examples.size(); i += Step)
            all.append(examples.at(i));
    }
    return all;
}

/// Whether it helps who does not know what to say: what only answers the assistant does not.
bool isHelp(const Example &example)
{
    static const QStringList others{QStringLiteral("Confirm"), QStringLiteral("Refuse"),
                                    QStringLiteral("Cancel"), QStringLiteral("Repeat"),
                                    QStringLiteral("AskHelp")};
    return !others.contains(example.command) && !example.text.isEmpty();
}

} // namespace

Suggestions::Suggestions(QObject *parent)
    : QObject(parent)
{
    m_timer.setInterval(IntervalMs);
    connect(&m_timer, &QTimer::timeout, this, &Suggestions::showOthers);
}

void Suggestions::setNetwork(SpeechBackend *network)
{
    if (network == m_network)
        return;
    if (m_network != nullptr)
        m_network->disconnect(this);
    m_network = network;
    if (network != nullptr) {
        connect(network, &SpeechBackend::backendStateChanged, this, &Suggestions::ask);
        connect(network, &SpeechBackend::examplesRead, this, &Suggestions::onExamples);
        connect(network, &SpeechBackend::acted, this,
                [this](const Acted &acted) { ++m_used[acted.command]; });
    }
    emit networkChanged();
    ask();
}

void Suggestions::setLanguage(const QString &language)
{
    if (language == m_language)
        return;
    m_language = language;
    emit languageChanged();
    ask();
}

void Suggestions::setInterval(int milliseconds)
{
    if (milliseconds == interval())
        return;
    m_timer.setInterval(milliseconds);
    emit intervalChanged();
}

void Suggestions::setRunning(bool isRunning)
{
    if (isRunning == m_isRunning)
        return;
    m_isRunning = isRunning;
    if (isRunning)
        showOthers();
    updateTimer();
    emit runningChanged();
}

void Suggestions::ask()
{
    if (m_network == nullptr || !m_network->isConnected())
        return;
    const bool isAutomatic = m_language.isEmpty() || m_language == QLatin1String("auto");
    m_network->readExamples(isAutomatic ? QLocale().name().section(QLatin1Char('_'), 0, 0) : m_language);
}

void Suggestions::onExamples(const QList<Example> &examples)
{
    m_examples.clear();
    std::copy_if(examples.begin(), examples.end(), std::back_inserter(m_examples), isHelp);
    m_examples = mixed(m_examples);
    showOthers();
    updateTimer();
}

void Suggestions::showOthers()
{
    std::stable_sort(m_examples.begin(), m_examples.end(), [this](const Example &a, const Example &b) {
        return m_used.value(a.command) < m_used.value(b.command);
    });
    QStringList shown;
    const qsizetype count = std::min(Count, m_examples.size());
    for (qsizetype i = 0; i < count; ++i) {
        shown.append(m_examples.first().text);
        m_examples.append(m_examples.takeFirst());
    }
    if (shown == m_shown)
        return;
    m_shown = shown;
    emit shownChanged();
}

void Suggestions::updateTimer()
{
    if (m_isRunning && m_examples.size() > Count)
        m_timer.start();
    else
        m_timer.stop();
}
