#pragma once

#include "backend/restclient.h"

#include <QObject>
#include <QString>
#include <QStringList>

#include <functional>

/// What the backend says of itself: version, model, models to choose from, and its own microphone.
class BackendInfo : public QObject
{
    Q_OBJECT

public:
    using Done = std::function<void(const Fault &)>;

    /// The client is only asked through; it must outlive this.
    explicit BackendInfo(RestClient *rest, QObject *parent = nullptr);

    QString version() const { return m_version; }
    QString modelName() const { return m_modelName; }
    /// Whether the backend warns of its model: it knows few words.
    bool modelIsSmall() const { return m_modelIsSmall; }
    QStringList languages() const { return m_languages; }
    QStringList models() const { return m_models; }
    bool isListening() const { return m_isListening; }
    bool canListen() const { return m_canListen; }
    /// What wakes the backend's microphone, as people say it; empty: it is not known, or nothing does.
    QStringList wakeWords() const { return m_wakeWords; }

    /// Read version, model and models; done is called when the model is known, or cannot be.
    void read(const Done &done);
    void readListening();
    void setListening(bool available, bool enabled);
    void setWakeWords(const QStringList &wakeWords);

signals:
    void changed();
    void listeningChanged();

private:
    void onModelInfo(const QJsonObject &body);
    void readModels();

    RestClient *m_rest;
    RestClient::Request m_listeningQuestion;
    QString m_version;
    QString m_modelName;
    bool m_modelIsSmall = false;
    QStringList m_languages;
    QStringList m_models;
    bool m_isListening = false;
    bool m_canListen = false;
    QStringList m_wakeWords;
};
