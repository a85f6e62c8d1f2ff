// A stranger's bot: discord.js, one address, one command, one button.
//
// TOKEN=... node strangers_bot.cjs http://127.0.0.1:8765
const { ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, GatewayIntentBits } = require("discord.js");

const client = new Client({
  intents: [GatewayIntentBits.Guilds],
  rest: { api: `${process.argv[2]}/api` },
});

client.once("clientReady", () => client.application.commands.set([{ name: "hello", description: "Says hello" }]));

client.on("interactionCreate", async (interaction) => {
  if (interaction.isChatInputCommand()) {
    const button = new ButtonBuilder().setCustomId("wave").setLabel("Wave back").setStyle(ButtonStyle.Primary);
    const components = [new ActionRowBuilder().addComponents(button)];
    await interaction.reply({ content: "Hello from discord.js!", components });
  } else if (interaction.isButton()) {
    await interaction.reply(`${interaction.member.displayName} waves.`);
  }
});

client.login(process.env.TOKEN);
