#include "history/transcriptionmodel.h"

#include <algorithm>
#include <cmath>

TranscriptionModel::TranscriptionModel(QObject *parent)
    : QAbstractListModel(parent)
{
    m_writer.setMaxThreadCount(1); // what was stored last is what the file holds
}

TranscriptionModel::~TranscriptionModel()
{
    m_writer.waitForDone();
}

int TranscriptionModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant TranscriptionModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const Transcription &entry = m_entries.at(index.row());
    switch (role) {
    case Qt::DisplayRole:
    case TextRole:
        return entry.text;
    case TimeRole:
        return entry.time;
    case LanguageRole:
        return entry.language;
    case LatencyRole:
        return entry.latency;
    case AnswerRole:
        return entry.answer;
    case EarconRole:
        return entry.earcon;
    default:
        return {};
    }
}

QHash<int, QByteArray> TranscriptionModel::roleNames() const
{
    return {{TextRole, "text"},       {TimeRole, "time"},     {LanguageRole, "language"},
            {LatencyRole, "latency"}, {AnswerRole, "answer"}, {EarconRole, "earcon"}};
}

void TranscriptionModel::setMaximumCount(int count)
{
    count = std::max(1, count);
    if (count == m_maximumCount)
        return;
    m_maximumCount = count;
    if (this->count() > count) {
        shrinkTo(count);
        emit countChanged();
        store();
    }
    emit maximumCountChanged();
}

void TranscriptionModel::setStoragePath(const QString &path)
{
    if (path == m_storagePath)
        return;
    const bool hadFile = !m_storagePath.isEmpty();
    m_storagePath = path;
    m_writer.waitForDone(); // the file may be the one that is being written
    if (!path.isEmpty()) {
        const QList<Transcription> stored = TranscriptionLog(path).load(m_maximumCount);
        const bool isNew = !hadFile && !m_entries.isEmpty();
        replaceAll(hadFile ? stored : m_entries + stored);
        if (isNew)
            store();
    }
    emit storagePathChanged();
}

void TranscriptionModel::addTranscription(const QString &text, const QDateTime &time, const QString &language,
                                          qreal latency, const QString &utterance)
{
    Transcription entry;
    entry.text = text.trimmed();
    if (entry.text.isEmpty())
        return;
    entry.time = time.isValid() ? time : QDateTime::currentDateTime();
    entry.language = language;
    entry.utterance = utterance;
    entry.latency = std::isfinite(latency) ? std::max(0.0, latency) : 0;

    const int before = count();
    shrinkTo(m_maximumCount - 1);
    beginInsertRows({}, 0, 0);
    m_entries.prepend(entry);
    endInsertRows();
    if (count() != before)
        emit countChanged();
    emit transcriptionAdded(entry.text);
    store();
}

void TranscriptionModel::addAnswer(const QString &utterance, const QString &text, const QString &earcon)
{
    if (utterance.isEmpty())
        return;
    const auto isMeant = [&](const Transcription &entry) { return entry.utterance == utterance; };
    const auto entry = std::find_if(m_entries.begin(), m_entries.end(), isMeant);
    if (entry == m_entries.end())
        return;
    entry->answer = text.trimmed();
    entry->earcon = earcon;
    const QModelIndex changed = index(int(entry - m_entries.begin()));
    emit dataChanged(changed, changed, {AnswerRole, EarconRole});
    store();
}

void TranscriptionModel::clearHistory()
{
    if (m_entries.isEmpty())
        return;
    replaceAll({});
    store();
}

void TranscriptionModel::replaceAll(const QList<Transcription> &entries)
{
    const int before = count();
    beginResetModel();
    m_entries = entries.first(std::min<qsizetype>(entries.size(), m_maximumCount));
    endResetModel();
    if (count() != before)
        emit countChanged();
}

/// Without the signal countChanged.
void TranscriptionModel::shrinkTo(int count)
{
    if (this->count() <= count)
        return;
    beginRemoveRows({}, count, this->count() - 1);
    m_entries.resize(count);
    endRemoveRows();
}

void TranscriptionModel::store()
{
    if (m_storagePath.isEmpty())
        return;
    m_writer.start([this, path = m_storagePath, entries = m_entries] {
        if (TranscriptionLog(path).save(entries))
            return;
        const QString message =
            tr("The history cannot be stored in “%1”. Make room there, or set another place.").arg(path);
        QMetaObject::invokeMethod(
            this, [this, message] { emit storageFailed(message); }, Qt::QueuedConnection);
    });
}
