/** Query for landed messages that no batch has applied. */

const ORDER = 'order by publish_time, message_id, landed.rowid'

/** Its parameters are the bytes after which it ends, and the most messages. */
export const UNAPPLIED = `select subscription_name, message_id, publish_time, data, attributes
  from landed_messages as landed where rowid in (
    select landed.rowid from landed_messages as landed
    anti join applied_messages as applied using (subscription_name, message_id)
    qualify sum(octet_length(data)) over (${ORDER}) - octet_length(data) < ?
    ${ORDER} limit ?)
  ${ORDER}`
