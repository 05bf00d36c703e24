/** What every page needs. Each module attaches itself through `data-` attributes. */
import { connect } from "./live.js";
import { keepFragmentsCurrent } from "./fragments.js";
import { closeMenusFromOutside } from "./menu.js";
import { keepTimesCurrent } from "./times.js";
import { listenForCopies } from "./copy.js";
import { listenForToasts } from "./toast.js";
import { moveBands } from "./bands.js";

connect();
keepFragmentsCurrent();
closeMenusFromOutside();
keepTimesCurrent();
listenForCopies();
listenForToasts();
moveBands();
