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

static int find_offset(const struct subscriber *subscriber, int64_t at,
                       int32_t *ret_offset, struct error *err)
{
	owned(zone) struct zone *zone = zone_open(subscriber->timezone);

	if (!zone)
		return error_set(err, ERROR_SYSTEM,
		                 "the time zone %s is unknown here",
		                 subscriber->timezone);
	*ret_offset = zone_offset(zone, at);
	return 0;
}

int service_build_message(const struct service *service,
                          const struct subscriber *subscriber,
                          const struct digest *digest,
                          const struct digest_parts *parts, struct buf *message,
                          struct error *err)
{
	int32_t offset = 0;

	if (find_offset(subscriber, digest->created_at, &offset, err) < 0)
		return -1;
	return mail_build(message,
	                  &(struct mail_message){
				  .sender = &service->conf->sender,
				  .to_name = subscriber->name,
				  .to_address = subscriber->email,
				  .subject = parts->subject,
				  .message_id = digest->message_id,
				  .language = subscriber->language,
				  .date = digest->created_at,
				  .utc_offset_sec = offset,
				  .text = parts->text,
				  .html = parts->html,
			  },
	                  err);
}

int service_write_letter(const struct service *service,
                         const struct subscriber *subscriber,
                         const struct digest *digest, struct buf *message,
                         struct error *err)
{
	struct digest_frame frame = service_frame(service, subscriber);
	struct digest_parts parts = {0};
	int rc;

	if (digest_render(&parts, &frame, digest, err) < 0)
		return error_prefix(err, "subscriber %s", subscriber->id);
	rc = service_build_message(service, subscriber, digest, &parts, message,
	                           err);
	digest_parts_fini(&parts);
	return rc < 0 ? error_prefix(err, "subscriber %s", subscriber->id) : 0;
}
