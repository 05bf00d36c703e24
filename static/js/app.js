/** What every page needs. Each module attaches itself through `data-` attributes. */
import { connect } from "./live.js";
import { keepFragmentsCurrent } from "./fragments.js";
import { closeMenusFromOutside } from "./menu.js";
import { keepWatch } from "./lock.js";
import { leaveNothingBehind } from "./leaving.js";
import { showCurrentTabs } from "./tabs.js";
import { keepTimesCurrent } from "./times.js";
import { listenForCopies } from "./copy.js";
import { listenForToasts } from "./toast.js";
import { moveBands } from "./bands.js";

leaveNothingBehind();
keepWatch();
connect();
keepFragmentsCurrent();
closeMenusFromOutside();
showCurrentTabs();
keepTimesCurrent();
listenForCopies();
listenForToasts();
moveBands();
