export { cleanMessage, messageOf, withoutKey } from "../core/service-message.ts";
