#pragma once

#include "backend/backendsocket.h"
#include "backend/commandevents.h"
#include "backend/fault.h"

#include <QByteArray>
#include <QList>
#include <QObject>
#include <QTimer>
#include <QUrl>

#include <chrono>

/// One stretch of speech through /stream: chunks of audio go in, partial and final text and answers come out.
class StreamClient : public QObject
{
    Q_OBJECT

public:
    /// 30 s of 16 kHz mono in 32-bit floats: what is kept while the connection is not there yet.
    static constexpr qsizetype LongestQueue = 30 * 16000 * 4;

    explicit StreamClient(QObject *parent = nullptr);

    /// Begin; a stream that there was is dropped.
    void open(const QUrl &url, const QString &apiKey);
    /// Kept until the connection is there. Ignored where there is no stream, or it is ending.
    void send(const QByteArray &chunk);
    /// No more audio: finals, their answers and then ended() follow.
    void end();
    /// At once, without ended(); closed() comes where opened() came.
    void drop();
    /// As if the connection broke.
    void fail(const Fault &fault);

    bool isActive() const { return m_isActive; }
    /// For the text of what was said; what comes of it has 40 s.
    void setTextDeadline(std::chrono::milliseconds deadline);

signals:
    void opened();
    void closed();
    void speechStarted();
    void partialText(const QString &text);
    void finalText(const QString &text, const QString &language, double latency, const QString &utterance);
    void understood(const Understood &understood);
    void acted(const Acted &acted);
    void answered(const QString &text, const QString &earcon, const QString &utterance);
    void failed(const Fault &fault);
    /// Once for each stream that was not dropped.
    void ended();

private:
    void onOpened();
    void onMessage(const QJsonObject &message);
    void onLost();
    void keep(const QByteArray &chunk);
    void sendEnd();
    void startEndDeadline();
    void finish(const Fault &fault);

    BackendSocket m_socket;
    QTimer m_endDeadline;
    std::chrono::milliseconds m_textDeadline{10'000};
    QList<QByteArray> m_queue;
    qsizetype m_queueSize = 0; ///< bytes
    bool m_isActive = false;
    bool m_isOpen = false;
    bool m_isEnding = false;
    bool m_isAwaitingText = false;
    bool m_hasOverflown = false;
    bool m_hasComplained =
        false; ///< The backend said what is wrong; if it closes after that, there is nothing to add.
};
