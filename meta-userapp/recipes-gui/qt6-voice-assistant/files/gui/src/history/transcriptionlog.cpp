#include "history/transcriptionlog.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

#include <cmath>
#include <optional>

constexpr qint64 LongestLine = 64 * 1024; // bytes; an utterance of 30 s has a few hundred

bool Transcription::operator==(const Transcription &other) const
{
    return text == other.text && time == other.time && language == other.language && latency == other.latency
           && answer == other.answer && earcon == other.earcon;
}

static QByteArray toLine(const Transcription &entry)
{
    QJsonObject object{
        {QStringLiteral("text"), entry.text},
        {QStringLiteral("time"), entry.time.toUTC().toString(Qt::ISODateWithMs)},
        {QStringLiteral("language"), entry.language},
        {QStringLiteral("latency"), entry.latency},
    };
    if (!entry.answer.isEmpty()) {
        object.insert(QStringLiteral("answer"), entry.answer);
        object.insert(QStringLiteral("earcon"), entry.earcon);
    }
    return QJsonDocument(object).toJson(QJsonDocument::Compact) + '\n';
}

static std::optional<Transcription> fromLine(const QByteArray &line)
{
    const QJsonObject object = QJsonDocument::fromJson(line).object();
    Transcription entry;
    entry.text = object.value(QLatin1String("text")).toString();
    entry.time = QDateTime::fromString(object.value(QLatin1String("time")).toString(), Qt::ISODateWithMs)
                     .toLocalTime();
    entry.language = object.value(QLatin1String("language")).toString();
    entry.latency = object.value(QLatin1String("latency")).toDouble();
    entry.answer = object.value(QLatin1String("answer")).toString();
    entry.earcon = object.value(QLatin1String("earcon")).toString();
    if (entry.text.trimmed().isEmpty() || !entry.time.isValid() || entry.latency < 0)
        return std::nullopt;
    return entry;
}

TranscriptionLog::TranscriptionLog(const QString &path)
    : m_path(path)
{
}

QList<Transcription> TranscriptionLog::load(qsizetype count) const
{
    QList<Transcription> newestFirst;
    QFile file(m_path);
    if (!file.open(QIODevice::ReadOnly))
        return newestFirst;
    while (!file.atEnd()) {
        // A longer line is read in pieces, none of which makes sense.
        const std::optional<Transcription> entry = fromLine(file.readLine(LongestLine));
        if (!entry)
            continue;
        newestFirst.prepend(*entry);
        if (newestFirst.size() > count)
            newestFirst.removeLast();
    }
    return newestFirst;
}

bool TranscriptionLog::save(const QList<Transcription> &newestFirst) const
{
    QDir().mkpath(QFileInfo(m_path).absolutePath());
    QSaveFile file(m_path);
    if (!file.open(QIODevice::WriteOnly))
        return false;
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    for (auto entry = newestFirst.crbegin(); entry != newestFirst.crend(); ++entry)
        file.write(toLine(*entry));
    return file.commit();
}
