#include "service/letter.h"

#include "base/mem.h"
#include "mail/message.h"
#include "model/day.h"

struct digest_frame service_frame(const struct service *service,
                                  const struct subscriber *subscriber)
{
	const struct conf *conf = service->conf;

	return (struct digest_frame){
		.templates = conf->templates,
		.language = conf_language(conf, subscriber->language),
		.subject = subscriber->subject,
		.name = subscriber->name,
		.unsubscribe = conf->sender.unsubscribe,
		.contact = conf->feeds.contact,
	};
}

/* The zone's offset when the digest was made; UTC's where it is unknown. */
static int32_t find_offset(const struct subscriber *subscriber, int64_t at)
{
	owned(zone) struct zone *zone = zone_open(subscriber->timezone);

	return zone ? zone_offset(zone, at) : 0;
}

int service_write_letter(const struct service *service,
                         const struct subscriber *subscriber,
                         const struct digest *digest, struct buf *message,
                         struct error *err)
{
	struct digest_frame frame = service_frame(service, subscriber);
	owned(digest_parts) struct digest_parts parts = {0};
	struct mail_message mail = {
		.sender = &service->conf->sender,
		.to_name = subscriber->name,
		.to_address = subscriber->email,
		.message_id = digest->message_id,
		.language = subscriber->language,
		.date = digest->created_at,
		.utc_offset_sec = find_offset(subscriber, digest->created_at),
	};

	if (digest_render(&parts, &frame, digest, err) < 0)
		return error_prefix(err, "subscriber %s", subscriber->id);
	mail.subject = parts.subject;
	mail.text = parts.text;
	mail.html = parts.html;
	if (mail_build(message, &mail, err) < 0)
		return error_prefix(err, "subscriber %s", subscriber->id);
	return 0;
}
