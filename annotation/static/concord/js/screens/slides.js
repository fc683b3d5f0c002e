/** The list of slides: failed ones can be tried again. The rest of the page works without a script. */

import "../keys.js";
import { offerRetry } from "../slide/retry.js";

offerRetry();
