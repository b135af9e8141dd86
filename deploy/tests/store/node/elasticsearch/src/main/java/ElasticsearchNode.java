import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.elasticsearch.Build;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs a single Elasticsearch node on the loopback interface until standard input ends or SIGTERM arrives.
 *
 * <p>Arguments: the folder for the data, and a file that lists all jars. The system picks the port; the node writes it to
 * standard output once it accepts requests.
 */
final class ElasticsearchNode {

    private ElasticsearchNode() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]).toAbsolutePath();
        Path configuration = Files.createDirectories(folder.resolve("config"));
        installTransport(folder.resolve("modules").resolve("transport-netty4"), Files.readString(Path.of(arguments[1])).strip());
        LogConfigurator.configureESLogging();
        Settings settings = Settings.builder()
            .put("path.home", folder)
            .put("cluster.name", "store")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", 0)
            .put("transport.port", 0)
            // A disk that is nearly full for other reasons must not turn indices read-only.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), configuration, () -> "store");
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()), Set.of(), Map.of(), false);
        Node node = new Node(environment, plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
        System.out.println(http.boundAddress().publishAddress().getPort());
        System.in.transferTo(OutputStream.nullOutputStream());
        System.exit(0);
    }

    /** Lays out the module in the form in which a distribution has it: its jars and a descriptor. */
    private static void installTransport(Path module, String allJars) throws IOException {
        List<String> classPath = List.of(System.getProperty("java.class.path").split(":"));
        Files.createDirectories(module);
        for (String jar : allJars.split(":")) {
            if (!classPath.contains(jar)) {
                Files.copy(Path.of(jar), module.resolve(Path.of(jar).getFileName()));
            }
        }
        Files.writeString(module.resolve("plugin-descriptor.properties"), String.join("\n",
            "name=transport-netty4",
            "description=HTTP and transport",
            "version=" + Build.current().version(),
            "elasticsearch.version=" + Build.current().version(),
            "java.version=17",
            "classname=org.elasticsearch.transport.netty4.Netty4Plugin"));
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
